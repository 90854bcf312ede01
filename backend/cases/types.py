"""Cases and their steps (public)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class CaseKind(StrEnum):
    """What a case is."""

    COMPLAINT = "complaint"
    OPINION = "opinion"
    PRAISE = "praise"
    CONSULTATION = "consultation"


class CaseChannel(StrEnum):
    """How it came: told by phone, in a shop, through the mini-app, or to customer service."""

    PHONE = "phone"
    SHOP = "shop"
    MINIAPP = "miniapp"
    SERVICE = "service"


class CaseState(StrEnum):
    """How far a case is; in four of them (``rules.WAITING``) an answer is due."""

    RECEIVED = "received"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    REOPENED = "reopened"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon it is due, compared with others of its kind."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Outcome(StrEnum):
    """What came of it."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    COMPENSATED = "compensated"
    UNFOUNDED = "unfounded"
    DUPLICATE = "duplicate"


class By(StrEnum):
    """Who took a step."""

    MEMBER = "member"
    STAFF = "staff"
    CLOCK = "clock"


class Action(StrEnum):
    """What a step was. Those from ``note`` on are the staff's own affair; the others their member sees."""

    OPEN = "open"
    SAY = "say"
    ASSIGN = "assign"
    START = "start"
    ANSWER = "answer"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    CLOSE = "close"
    RATE = "rate"
    GIVE = "give"
    NOTE = "note"
    PRIORITISE = "prioritise"
    CLAIM = "claim"
    CONTACT = "contact"
    ESCALATE = "escalate"


class Level(StrEnum):
    """Whose to-do an overdue case is."""

    MANAGER = "manager"
    OFFICE = "office"


class Actor(msgspec.Struct, frozen=True):
    """Who takes a step; ``staff_id`` where it is somebody of the staff."""

    by: By
    staff_id: int | None = None


class Contact(msgspec.Struct, frozen=True):
    """A customer without an account, who agreed to be called back."""

    name: str
    phone: str


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer is given for a case: points, a coupon of a template, or both."""

    points: int | None = None
    template_id: str | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a case's member was given; ``coupon_title`` as it was called then."""

    points: int = 0
    coupon_id: str | None = None
    coupon_title: str = ""


class Allowance(msgspec.Struct, frozen=True):
    """How much somebody may give: points with one case at most, and with how many cases a day (still, or in all)."""

    points: int
    gifts: int


class NewCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case to be opened, by whoever holds a transaction (``service.open``). It is a member's, or a contact's.

    ``reference`` is the order or receipt that it is about, ``sku`` the article; ``pictures`` are that member's uploads.
    """

    kind: CaseKind
    channel: CaseChannel
    text: str
    member_id: int | None = None
    contact: Contact | None = None
    store_id: str | None = None
    reference: str = ""
    sku: str = ""
    priority: Priority = Priority.NORMAL
    pictures: tuple[str, ...] = ()
    by: Actor = Actor(By.MEMBER)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it stands. ``answered_at`` and ``answered_by`` are the first answer's."""

    id: str
    kind: CaseKind
    channel: CaseChannel
    state: CaseState
    priority: Priority
    member_id: int | None
    has_contact: bool
    store_id: str | None
    reference: str
    sku: str
    excerpt: str
    assigned_to: int | None
    round: int
    since: datetime
    due_at: datetime
    created_at: datetime
    updated_at: datetime
    answered_at: datetime | None
    answered_by: int | None
    closed_at: datetime | None
    outcome: Outcome | None
    compensation: str
    given: Given | None
    rating: int | None
    rating_text: str
    version: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step; ``version`` is the case's after it."""

    version: int
    action: Action
    state: CaseState
    by: By
    staff_id: int | None
    text: str
    pictures: tuple[str, ...]
    detail: dict[str, str]
    at: datetime


class Todo(msgspec.Struct, frozen=True, kw_only=True):
    """An overdue case that somebody is to look after."""

    case: Case
    level: Level
    made_at: datetime


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Cases of one kind, store or person, that were opened in a time. Seconds are medians and ninth deciles."""

    key: str
    cases: int
    waiting: int
    overdue: int
    answered: int
    closed: int
    reopened: int
    given: int
    points_given: int
    rated: int
    rating_sum: int
    answer_p50_s: float | None
    answer_p90_s: float | None
    close_p50_s: float | None
    close_p90_s: float | None


class Grouping(StrEnum):
    """What figures are told apart by."""

    KIND = "kind"
    STORE = "store"
    STAFF = "staff"
