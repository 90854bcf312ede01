"""What the other domains know of member cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from backend.ledger.plans import Guard
from backend.members.types import SYSTEM, Actor, ActorKind

OFFICE = "office"
"""The issuer that head office is."""

PLASTIC_MOST = 100_000
"""Cards in one batch, and in one move of it."""


class CardState(StrEnum):
    """How a card stands: ``lost`` is reported and may be found again; the last three are for good."""

    PRINTED = "printed"
    ALLOTTED = "allotted"
    ISSUED = "issued"
    LOST = "lost"
    REPLACED = "replaced"
    VOID = "void"
    EXPIRED = "expired"


HELD = (CardState.ISSUED, CardState.LOST)
"""The states in which a card takes its member's one place."""

UNISSUED = (CardState.PRINTED, CardState.ALLOTTED)


class IssuerKind(StrEnum):
    """Who hands cards out."""

    OFFICE = "office"
    STORE = "store"
    AGENT = "agent"


class DepositState(StrEnum):
    """How a card's deposit stands: to be paid, held, gone over to the card that took its place, given back."""

    NONE = "none"
    DUE = "due"
    HELD = "held"
    MOVED = "moved"
    BACK = "back"


class BatchState(StrEnum):
    """How a batch stands: its numbers are being made, are there, went to the printer once, or are of no use."""

    MAKING = "making"
    READY = "ready"
    EXPORTED = "exported"
    VOID = "void"


class MoveKind(StrEnum):
    """Where a run of cards goes: to an issuer, from it back to head office, or out of the world."""

    ALLOT = "allot"
    RETURN = "return"
    VOID = "void"


class MoveState(StrEnum):
    """How far a move is."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class Way(StrEnum):
    """How something happened to a card."""

    COUNTER = "counter"
    PHONE = "phone"
    IMPORT = "import"
    MERGE = "merge"
    SYSTEM = "system"


class Handing(msgspec.Struct, frozen=True):
    """Who does something to a card: ``store_id`` is where staff work, None for head office."""

    way: Way
    staff_id: int | None = None
    store_id: str | None = None
    reason: str = ""

    def actor(self, member_id: int) -> Actor:
        """Who it is in the log of members' changes."""
        if self.way is Way.PHONE:
            return Actor.member(member_id)
        if self.way is Way.SYSTEM:
            return SYSTEM
        kinds = {Way.IMPORT: ActorKind.IMPORT, Way.MERGE: ActorKind.MERGE}
        return Actor(kinds.get(self.way, ActorKind.STAFF), self.staff_id)

    @property
    def office(self) -> bool:
        """Whether cards of every issuer may be handed out so."""
        return self.store_id is None and self.way is not Way.PHONE


class CardType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of card. Numbers: ``prefix``, random digits, and a check digit where ``check_digit``; ``length`` in all.

    ``level`` is what a member has at least who gets one, ``deposit_fen`` what the till takes for one and gives back,
    ``fee_fen`` what it takes for one in the place of another, and ``validity_months`` how long it is good (to the end
    of a month; None: for good). ``self_service``: members may bind one on their phones. ``automatic``: whoever has no
    card is given a virtual one of this type.
    """

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
    drawn: int
    version: int
    created_at: datetime


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that are made at once: ``made`` of ``total`` so far, with serials from 1."""

    id: str
    type_code: str
    note: str
    total: int
    made: int
    state: BatchState
    staff_id: int
    created_at: datetime
    exported_at: datetime | None
    exported_by: int | None


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Who hands cards out: ``taken`` of ``quota`` cards so far, those that came back not counted."""

    id: str
    kind: IssuerKind
    store_id: str | None
    name: str
    contact: str
    quota: int
    taken: int
    active: bool
    version: int
    created_at: datetime


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a batch on its way: serials up to ``next_serial`` are through; ``skipped`` stood otherwise by then."""

    id: str
    kind: MoveKind
    batch_id: str
    issuer_id: str | None
    from_serial: int
    to_serial: int
    next_serial: int
    moved: int
    skipped: int
    state: MoveState
    reason: str
    staff_id: int
    created_at: datetime
    ended_at: datetime | None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card; ``virtual`` ones are numbers without plastic. ``member_id`` stays when it is no longer in force.

    ``fee_fen`` is asked for one that took another's place; ``deposit_store`` took the deposit that is held.
    """

    id: int
    number: str
    type_code: str
    type_name: str
    colour: str
    state: CardState
    virtual: bool
    batch_id: str | None
    serial: int | None
    issuer_id: str | None
    issuer_kind: IssuerKind | None
    issuer_store: str | None
    member_id: int | None
    bound_at: datetime | None
    valid_until: date | None
    deposit_fen: int
    deposit_state: DepositState
    deposit_store: str | None
    fee_fen: int
    fee_paid: bool
    replaced_by: int | None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What a card became, when, and by whom; the first one is how it came into the world."""

    n: int
    at: datetime
    state: CardState
    way: Way
    staff_id: int | None
    member_id: int | None
    issuer_id: str | None
    store_id: str | None
    reason: str


class Carried(msgspec.Struct, frozen=True):
    """A card in force that somebody shows, and whose it is."""

    card_id: int
    member_id: int
    type_code: str


class Stock(msgspec.Struct, frozen=True):
    """How many cards of a type an issuer has had, by how they stand now."""

    type_code: str
    state: CardState
    cards: int


class Deposits(msgspec.Struct, frozen=True):
    """What a store holds of deposits; ``left_…``: of members who were erased, so that nobody brings the card back."""

    store_id: str
    cards: int
    held_fen: int
    left_cards: int
    left_fen: int


GIVEN = "member_card"
"""The document, and the transfer, of a card that a till gave out."""

TAKEN_BACK = "member_card_back"
"""The same of one that it took back."""

DOCUMENT_PREFIX = "Z"


class AtTill(msgspec.Struct, frozen=True, kw_only=True):
    """Where and by whom; the request's key; ``guards`` spend the code that was shown."""

    store_id: str
    terminal_id: str
    cashier: str | None
    tender: str
    reference: str | None
    guards: Sequence[Guard]
    scope: str
    key: str
    request_hash: bytes
    now: datetime
    on: date


class Kept(msgspec.Struct, frozen=True):
    """What a plan says of a card."""

    id: int
    number: str
    title: str


class Dues(msgspec.Struct, frozen=True):
    """What is to be paid for a card."""

    deposit_fen: int = 0
    fee_fen: int = 0

    @property
    def total_fen(self) -> int:
        """Both together."""
        return self.deposit_fen + self.fee_fen


class Errand(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to a card at a till, as its document keeps it: the deposit and the fee that were paid.

    Of a card that was taken back, ``deposit_fen`` is what was given back, and ``held_by`` the store that had it.
    """

    card_id: str
    last4: str
    title: str
    terminal_id: str
    tender: str
    reference: str | None = None
    deposit_fen: int = 0
    fee_fen: int = 0
    replaced: str | None = None
    held_by: str | None = None

    @property
    def total_fen(self) -> int:
        """What the till took, or gave back."""
        return self.deposit_fen + self.fee_fen
