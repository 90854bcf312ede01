"""Bodies and answers of the member cards' calls."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import PLASTIC_MOST, BatchState, CardState, Deposits, DepositState, IssuerKind, MoveKind, MoveState, Way

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
_PRINTED = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
TypeCode = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,20}$(?!\n)")]
LevelCode = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,20}$(?!\n)")]
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
IssuerId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,20}$(?!\n)")]
BatchId = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=_PRINTED)]
IssuerName = Annotated[str, Meta(min_length=1, max_length=60, pattern=_PRINTED)]
Contact = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Note = Annotated[str, Meta(max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=_PRINTED)]
CardNo = Annotated[str, Meta(pattern=r"^[0-9]{10,19}$(?!\n)", description="会员卡号", examples=["9001012345678903"])]
Code = Annotated[str, Meta(min_length=1, max_length=32, description="会员手机上的动态码：20 位数字")]
Phone = Annotated[str, Meta(min_length=1, max_length=20, description="会员报出的手机号")]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
Quota = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Serial = Annotated[int, Meta(ge=1, le=PLASTIC_MOST)]
Version = Annotated[int, Meta(ge=1, le=10**9)]


Months = Annotated[int, Meta(ge=1, le=240, description="自发卡起的月数，至该月末；不填则长期有效")]


class TypeFields(Body, kw_only=True):
    """What cards of a type are and carry."""

    name: Name
    level: Annotated[LevelCode, Meta(description="持卡人至少享有的等级")] | None = None
    deposit_fen: Annotated[int, Meta(ge=0, le=1_000_000, description="发卡时收银台收取、退卡时退还的押金")] = 0
    fee_fen: Annotated[int, Meta(ge=0, le=1_000_000, description="补卡、换卡时收银台收取的工本费")] = 0
    validity_months: Months | None = None
    colour: Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}$(?!\n)", examples=["#0B7A5B"])] = "#0B7A5B"
    self_service: Annotated[bool, Meta(description="会员可在手机上自行绑定")] = False
    automatic: Annotated[bool, Meta(description="没有卡的会员自动获得此类型的卡号")] = False
    active: bool = True


class TypeIn(TypeFields, kw_only=True):
    """A type; how its numbers look is for good."""

    code: TypeCode
    prefix: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,7}$(?!\n)", description="卡号开头，1–8 位数字")]
    length: Annotated[int, Meta(ge=10, le=19, description="卡号位数")]
    check_digit: bool = True


class ChangeType(TypeFields, kw_only=True):
    """A type as it is to be; ``version`` is the one that was looked at."""

    version: Version


class TypeOut(msgspec.Struct, kw_only=True):
    """A type as staff see it; ``numbers_left`` can still be printed."""

    code: str
    name: str
    prefix: str
    length: int
    check_digit: bool
    level: str | None
    deposit_fen: int
    fee_fen: int
    validity_months: int | None
    colour: str
    self_service: bool
    automatic: bool
    active: bool
    numbers_left: int
    version: int
    created_at: datetime


class TypesOut(msgspec.Struct):
    """Every type, oldest first."""

    items: list[TypeOut]


class AgentIn(Body, kw_only=True):
    """An agent; ``contact`` is whom to ask for, and how."""

    name: IssuerName
    contact: Contact = ""
    quota: Quota


class StoreIssuerIn(Body, kw_only=True):
    """A store that is to hand out cards."""

    store_id: StoreId
    quota: Quota


class ChangeIssuer(Body, kw_only=True):
    """What was agreed, as it is to be; the name is an agent's only."""

    name: IssuerName
    contact: Contact = ""
    quota: Quota
    active: bool = True
    version: Version


class IssuerOut(msgspec.Struct, kw_only=True):
    """Who hands cards out: ``left`` of the quota can still be allotted."""

    id: str
    kind: IssuerKind
    store_id: str | None
    name: str
    contact: str
    quota: int
    taken: int
    left: int
    active: bool
    version: int
    created_at: datetime


class StockOut(msgspec.Struct):
    """So many cards of that type stand so."""

    type_code: str
    state: CardState
    cards: int


class IssuerDetail(msgspec.Struct):
    """An issuer, and how all its cards stand."""

    issuer: IssuerOut
    stock: list[StockOut]


class IssuersQuery(Body):
    """Which issuers, and where to go on."""

    kind: IssuerKind | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class IssuersOut(msgspec.Struct):
    """A page of issuers, newest first."""

    items: list[IssuerOut]
    next_cursor: str | None


class ReportQuery(Body):
    """From which day to which, both included."""

    begin: date
    end: date


class ReportOut(msgspec.Struct):
    """What an issuer was allotted, gave back and issued in these days."""

    issuer_id: str
    begin: date
    end: date
    allotted: int
    returned: int
    issued: int


class DepositsOut(msgspec.Struct):
    """The deposits that are held, by the store that took them."""

    items: list[Deposits]


class BatchIn(Body, kw_only=True):
    """How many numbers of which type, and what for."""

    type_code: TypeCode
    total: Annotated[int, Meta(ge=1, le=PLASTIC_MOST)]
    note: Note = ""


class BatchOut(msgspec.Struct, kw_only=True):
    """A batch: ``made`` of ``total`` so far."""

    id: str
    type_code: str
    note: str
    total: int
    made: int
    state: BatchState
    created_at: datetime
    exported_at: datetime | None
    exported_by: str | None


class BatchesQuery(Body):
    """Of which type, and where to go on."""

    type_code: TypeCode | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class BatchesOut(msgspec.Struct):
    """A page of batches, newest first."""

    items: list[BatchOut]
    next_cursor: str | None


class MoveIn(Body, kw_only=True):
    """Which run of a batch goes where: to an issuer, back from it, or (without one) out of the world."""

    kind: MoveKind
    batch_id: BatchId
    from_serial: Serial
    to_serial: Serial
    issuer_id: IssuerId | None = None
    reason: Reason

    @property
    def size(self) -> int:
        """How many cards it is."""
        return self.to_serial - self.from_serial + 1


class MoveOut(msgspec.Struct, kw_only=True):
    """A move: ``moved`` and ``skipped`` of ``cards`` so far."""

    id: str
    kind: MoveKind
    batch_id: str
    issuer_id: str | None
    from_serial: int
    to_serial: int
    cards: int
    moved: int
    skipped: int
    state: MoveState
    reason: str
    created_at: datetime
    ended_at: datetime | None


class MovesQuery(Body):
    """Of which batch or issuer, and where to go on."""

    batch_id: BatchId | None = None
    issuer_id: IssuerId | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class MovesOut(msgspec.Struct):
    """A page of moves, newest first."""

    items: list[MoveOut]
    next_cursor: str | None


class CardsQuery(Body):
    """Cards of a batch, by serial, or of an issuer in one state, and where to go on."""

    batch_id: BatchId | None = None
    issuer_id: IssuerId | None = None
    state: CardState | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class CardOut(msgspec.Struct, kw_only=True):
    """A card as staff see it; the number of one that nobody has yet only masked."""

    id: str
    number: str
    type_code: str
    type_name: str
    colour: str
    state: CardState
    virtual: bool
    batch_id: str | None
    serial: int | None
    issuer_id: str | None
    member_id: str | None
    bound_at: datetime | None
    valid_until: date | None
    deposit_fen: int
    deposit_state: DepositState
    fee_fen: int
    fee_paid: bool
    replaced_by: str | None


class CardsOut(msgspec.Struct):
    """A page of cards."""

    items: list[CardOut]
    next_cursor: str | None


class StepOut(msgspec.Struct, kw_only=True):
    """What a card became."""

    at: datetime
    state: CardState
    way: Way
    staff_id: str | None
    member_id: str | None
    issuer_id: str | None
    store_id: str | None
    reason: str


class CardDetail(msgspec.Struct):
    """A card and everything that it was, oldest first."""

    card: CardOut
    history: list[StepOut]


class MemberCardsOut(msgspec.Struct):
    """Every card that a member has had, the last one first."""

    items: list[CardOut]


class SearchIn(Body):
    """A card by its whole number: in a body, because addresses are written into logs."""

    card_no: CardNo


class IssueIn(Body, kw_only=True):
    """Which card goes to whom: who shows this code, or has the phone number that they say."""

    card_no: CardNo
    code: Code | None = None
    phone: Phone | None = None
    reason: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""


class ReplaceIn(Body, kw_only=True):
    """Which card takes the place of this one, whose member shows this code or has this phone number, and why."""

    card_no: CardNo
    code: Code | None = None
    phone: Phone | None = None
    reason: Reason


class ReasonIn(Body):
    """Why."""

    reason: Reason


class BindIn(Body):
    """The card that a member has in hand."""

    card_no: CardNo


class OwnCard(msgspec.Struct, kw_only=True):
    """A member's card; ``lost`` is reported and good nowhere."""

    number: str
    type_name: str
    colour: str
    state: CardState
    virtual: bool
    bound_at: datetime
    valid_until: date | None


class OwnCardOut(msgspec.Struct):
    """The member's card, if there is one; whether they may get a number without a card, and bind one themselves."""

    card: OwnCard | None
    may_get_virtual: bool
    may_bind: bool
