"""What the other domains know of members."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from backend.ledger.types import Snapshot


class Status(StrEnum):
    """``none``: known (refused), not registered; ``pending`` waits for staff; ``frozen`` is shut out by staff;
    ``expired`` is outside of the days that the membership is good for; ``merged`` is another member now, for good:
    number and phone lead there; ``erased`` was a member, and is a number now, which books and documents refer to."""

    NONE = "none"
    PENDING = "pending"
    ACTIVE = "active"
    FROZEN = "frozen"
    EXPIRED = "expired"
    MERGED = "merged"
    ERASED = "erased"


_FOLLOWS = frozenset({Status.ACTIVE, Status.EXPIRED})


class Validity(msgspec.Struct, frozen=True):
    """From which day until which (both included, of the chain) somebody is a member; None: without such an end."""

    valid_from: date | None = None
    valid_until: date | None = None

    def holds(self, on: date) -> bool:
        """Whether the membership is good on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )

    def status_of(self, status: Status, on: date) -> Status:
        """What a status is on that day: only who is active or expired follows the days, whatever else stays."""
        if status not in _FOLLOWS:
            return status
        return Status.ACTIVE if self.holds(on) else Status.EXPIRED


class Gender(StrEnum):
    """As the member says."""

    MALE = "male"
    FEMALE = "female"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where a member stands in a customer's life; what makes it is up to the chain (``lifecycle``)."""

    POTENTIAL = "potential"
    NEW = "new"
    RETURNING = "returning"
    LOYAL = "loyal"
    DORMANT = "dormant"
    LOST = "lost"


class ActorKind(StrEnum):
    """Who changed something: the member, somebody of the staff, a job, an import, a merge of two members."""

    MEMBER = "member"
    STAFF = "staff"
    SYSTEM = "system"
    IMPORT = "import"
    MERGE = "merge"


class Actor(msgspec.Struct, frozen=True):
    """Who changed something; ``id`` is the member's, the person's, or that of an import or a merge."""

    kind: ActorKind
    id: int | None = None

    @classmethod
    def member(cls, member_id: int) -> Actor:
        """The member, on the own phone."""
        return cls(ActorKind.MEMBER, member_id)

    @classmethod
    def staff(cls, staff_id: int) -> Actor:
        """Somebody of the staff."""
        return cls(ActorKind.STAFF, staff_id)


SYSTEM = Actor(ActorKind.SYSTEM)
"""Nobody: the program itself."""


class MemberChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that was changed; values as JSON has them, None for none, or where they were erased."""

    id: int
    member_id: int
    at: datetime
    by: Actor
    field: str
    before: Any
    after: Any
    reason: str | None
    erased: bool


class Level(msgspec.Struct, frozen=True):
    """A level: ``discount_bp`` is what is taken off, ``points_multiplier_bp`` what points are multiplied by.

    ``benefits`` are further ones, as members read them; ``growth_from_fen`` says which level is above which, and is
    what reaches it where no rule says otherwise (``ruled``).
    """

    code: str
    name: str
    discount_bp: int
    points_multiplier_bp: int
    growth_from_fen: int
    benefits: tuple[str, ...] = ()
    ruled: bool = False


class DiscountCard(msgspec.Struct, frozen=True):
    """A member's best discount card (a pass of that id), good to the end of the day ``until``; rates as of a level."""

    id: str
    discount_bp: int
    points_multiplier_bp: int
    until: date


class Benefit(msgspec.Struct, frozen=True):
    """What a member's prices and points are made with; ``card_id`` is the card that gives more than the level."""

    discount_bp: int
    points_multiplier_bp: int
    card_id: str | None = None


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a till may know of a member; ``lent_discount_bp`` is a discount that a group or an agreement gives."""

    member_id: int
    member_no: str
    name_masked: str
    level: Level
    status: Status
    discount_card: DiscountCard | None = None
    lent_discount_bp: int = 0
    birthday: date | None = None

    def benefit_on(self, on: date) -> Benefit:
        """The better of level and discount card, of the prices and of the points each, on that local day."""
        level, card = self.level, self.discount_card
        own = Benefit(max(level.discount_bp, self.lent_discount_bp), level.points_multiplier_bp)
        if card is None or on > card.until:
            return own
        best = Benefit(
            max(own.discount_bp, card.discount_bp),
            max(own.points_multiplier_bp, card.points_multiplier_bp),
            card.id,
        )
        more = best.discount_bp > own.discount_bp or best.points_multiplier_bp > own.points_multiplier_bp
        return best if more else own


class Cardholder(msgspec.Struct, frozen=True):
    """What a sale is priced with: who it is, and what they hold."""

    card: Card
    snapshot: Snapshot


class PinState(StrEnum):
    """Whether there is a payment PIN; ``to_set``: staff ended one, and the phone is to set another."""

    NONE = "none"
    SET = "set"
    TO_SET = "to_set"


class PinAct(StrEnum):
    """What staff or a till did about a PIN."""

    INITIALISED = "initialised"
    SET_AT_TILL = "set_at_till"
    UNLOCKED = "unlocked"


class PinStanding(msgspec.Struct, frozen=True):
    """How a PIN stands; until ``lower_until``, ``lower_left_fen`` may still be confirmed with it."""

    state: PinState
    changed_at: datetime | None = None
    locked_until: datetime | None = None
    lower_until: datetime | None = None
    lower_left_fen: int | None = None


class PinDone(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about a PIN, by ``staff/<id>`` or ``terminal/<id>``; ``proof`` is how the member was known."""

    at: datetime
    act: PinAct
    actor: str
    store_id: str | None
    proof: str
    reason: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member's whole profile; the phone only masked."""

    id: int
    member_no: str
    name: str
    phone_masked: str
    birthday: date | None
    gender: Gender
    store_id: str | None
    level: Level
    status: Status
    growth_fen: int
    attributes: dict[str, Any]
    created_at: datetime
    pin_set: bool
    version: int
    validity: Validity = Validity()


class Named(msgspec.Struct, frozen=True):
    """What a letter to a member may say of them."""

    id: int
    member_no: str
    name: str
    level: str
    status: Status
    store_id: str | None


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A member in a list that staff are shown; the name only masked."""

    id: int
    member_no: str
    name_masked: str
    store_id: str | None
    level: str
    birthday: date | None
    status: Status


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """What a member is made from."""

    phone: str
    name: str
    status: Status
    birthday: date | None = None
    gender: Gender = Gender.UNKNOWN
    store_id: str | None = None
    referrer_id: int | None = None
    level: str | None = None
    joined_at: datetime | None = None
    """When they joined, where that was before now."""


class LevelState(msgspec.Struct, frozen=True):
    """A member's own level, what a group lends them, and whether the own one stays as it is (``locked``)."""

    member_id: int
    own: str
    lent: str | None
    locked: bool
    growth_fen: int
    status: Status
    stage: Stage | None
    stage_since: date | None
    created_at: datetime


class AttributeType(StrEnum):
    """What kind of value an attribute has; ``choice`` is one of its options, ``choices`` several."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"


class Reach(StrEnum):
    """Who sees or edits an attribute: the member, staff of the member's store, head office."""

    MEMBER = "member"
    STORE = "store"
    OFFICE = "office"


class Option(msgspec.Struct, frozen=True):
    """One of the values to choose from. ``closed``: who has it keeps it, nobody chooses it any more."""

    code: str
    name: str
    closed: bool = False


class Bounds(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a value may be: characters of a text, a number's range and decimals, a date's range, how many options."""

    max_length: int | None = None
    at_least: float | None = None
    at_most: float | None = None
    decimals: int | None = None
    earliest: date | None = None
    latest: date | None = None
    most: int | None = None


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """What the chain wants to know of its members besides what every member has, as staff defined it.

    ``required``: registration and every later form must have it. Who ``sees`` and who ``edits`` it goes by reach; staff
    need the permission besides, where one is named. ``at_till``: tills are told of it when a code is scanned.
    """

    code: str
    name: str
    type: AttributeType
    bounds: Bounds = Bounds()
    options: tuple[Option, ...] = ()
    required: bool = False
    seen_by: tuple[Reach, ...] = tuple(Reach)
    edited_by: tuple[Reach, ...] = tuple(Reach)
    see_permission: str | None = None
    edit_permission: str | None = None
    at_till: bool = False
    group: str = ""
    position: int = 0
    archived: bool = False
    version: int = 1


AttributeValue: TypeAlias = str | int | float | bool | list[str]
"""A value as JSON has it; dates as ``YYYY-MM-DD``, choices by their codes."""


class AttributeCondition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A condition on one attribute, exactly one of: ``any_of`` these values (one of several choices suffices), from
    ``at_least`` to ``at_most`` (numbers and dates; one end suffices), or whether it is ``empty``."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
    any_of: (
        Annotated[
            tuple[Annotated[str, Meta(max_length=200)] | Annotated[float, Meta(ge=-1e15, le=1e15)] | bool, ...],
            Meta(min_length=1, max_length=50),
        ]
        | None
    ) = None
    at_least: Annotated[str, Meta(max_length=10)] | Annotated[float, Meta(ge=-1e15, le=1e15)] | None = None
    at_most: Annotated[str, Meta(max_length=10)] | Annotated[float, Meta(ge=-1e15, le=1e15)] | None = None
    empty: bool | None = None


class ProfileField(StrEnum):
    """What of a profile members may be allowed to change themselves; attributes say it themselves."""

    NAME = "name"
    BIRTHDAY = "birthday"
    GENDER = "gender"
    STORE = "store_id"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESSES = "addresses"


class FieldRules(msgspec.Struct, frozen=True):
    """How often members may change each field themselves: None always, 0 never. A first filling in is no change."""

    changes: dict[ProfileField, int | None]
    version: int = 0

    def often(self, field: ProfileField) -> int | None:
        """How often members may change that field."""
        return self.changes.get(field, DEFAULT_CHANGES.get(field))


DEFAULT_CHANGES: dict[ProfileField, int | None] = {ProfileField.BIRTHDAY: 1}
"""Of a chain that has set nothing: benefits for birthdays are worth money, so a slip may be put right once."""


class MemberFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which members a list has; what is not said does not limit. Merged and erased ones only by their status.

    ``name`` is how the name begins; the last days of a range are included.
    """

    status: Status | None = None
    store_id: str | None = None
    level: str | None = None
    stage: Stage | None = None
    card_type: str | None = None
    name: str | None = None
    registered_from: date | None = None
    registered_until: date | None = None
    valid_until_from: date | None = None
    valid_until_to: date | None = None
    attributes: tuple[AttributeCondition, ...] = ()
