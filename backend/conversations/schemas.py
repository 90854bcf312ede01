"""Bodies and answers of customer service's calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.cases.types import CaseKind, Priority
from backend.kernel.http import Body

from .types import Act, Author, Card, Kind, Match, Stage, State

# Lines and tabs are text, other control characters are not; `(?!\n)` because `$` alone would let a line break through.
_SAID = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)"
_LINE = r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
Said = Annotated[str, Meta(min_length=1, max_length=600, pattern=_SAID, description="微信每条最多约 600 字")]
SaidOrNothing = Annotated[str, Meta(max_length=600, pattern=_SAID)]
Word = Annotated[str, Meta(min_length=1, max_length=30, pattern=_LINE)]
Title = Annotated[str, Meta(min_length=1, max_length=40, pattern=_LINE)]
Page = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_/-]+(\?[A-Za-z0-9_=&.-]*)?$(?!\n)")]
Cursor = Annotated[str, Meta(max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
StaffId = Annotated[str, Meta(min_length=1, max_length=19)]
StoreId = Annotated[str, Meta(min_length=1, max_length=16)]

View = Literal["waiting", "mine", "open", "robot", "wechat", "closed"]


class CardIn(Body):
    """A card that opens a page of the mini-program."""

    title: Title
    page: Page


class SayIn(Body):
    """What to say: a text or a card, one of them."""

    text: Said | None = None
    card: CardIn | None = None


class TransferIn(Body):
    """To whom; nobody named: back into the queue."""

    staff_id: StaffId | None = None


class CaseIn(Body, kw_only=True):
    """What the customer complains about, suggests, praises or asks, in the words of who talked with them."""

    kind: CaseKind
    text: Annotated[str, Meta(min_length=1, max_length=2000, pattern=_SAID)]
    priority: Priority = Priority.NORMAL


class CaseOut(msgspec.Struct):
    """The case that was opened."""

    case_id: str


class ConversationsQuery(Body):
    """Which conversations: those that wait (who waits longest first), one's own, or those in a state."""

    view: View = "waiting"
    cursor: Cursor | None = None
    limit: Limit = 30


class MessagesQuery(Body):
    """Which messages: before the cursor's, or only those above a number (what is new)."""

    cursor: Cursor | None = None
    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    limit: Limit = 50


class ChangesQuery(Body):
    """Whose changes: the rules', the texts' or the canned answers'."""

    of: Literal["rules", "texts", "canned"] = "rules"


class PageQuery(Body):
    """A page of a list."""

    cursor: Cursor | None = None
    limit: Limit = 30


class WindowOut(msgspec.Struct):
    """How many messages WeChat still takes, and until when; ``open`` without any left: all of them were used."""

    left: int
    until: datetime | None
    open: bool


class CustomerOut(msgspec.Struct, kw_only=True):
    """Who writes; a guest is nobody's member yet."""

    guest: bool
    member_id: str | None = None
    member_no: str | None = None
    name: str | None = None
    level: str | None = None


class LastOut(msgspec.Struct):
    """What was said last; the first characters of it."""

    author: Author
    kind: Kind
    text: str
    at: datetime


class ColleagueOut(msgspec.Struct):
    """Somebody of the staff."""

    id: str
    username: str


class ConversationOut(msgspec.Struct, kw_only=True):
    """A conversation in a list."""

    id: str
    state: State
    customer: CustomerOut
    staff: ColleagueOut | None
    last: LastOut | None
    unread: int
    last_at: datetime
    waiting_since: datetime | None
    claimed_at: datetime | None
    window: WindowOut


class ConversationsOut(msgspec.Struct):
    """A page of conversations; ``waiting`` and ``mine`` count all that wait, and all that this person has."""

    items: list[ConversationOut]
    next_cursor: str | None
    waiting: int
    mine: int


class SummaryOut(msgspec.Struct, kw_only=True):
    """What a person at the desk must know of a member at a glance."""

    phone_masked: str
    store_id: str | None
    registered_at: datetime
    stored_fen: int
    points: int
    coupons: int


class ConversationDetail(ConversationOut, kw_only=True):
    """A conversation with its member; ``colleagues`` are those whom it may be given to."""

    summary: SummaryOut | None
    colleagues: list[ColleagueOut]


class PictureOut(msgspec.Struct):
    """Where a picture is for the next hour or two."""

    url: str
    small_url: str


class MessageOut(msgspec.Struct, kw_only=True):
    """One thing that was said or happened; ``id`` is its number in the conversation.

    ``note`` says what happened: ``claimed``, ``queued``, ``transferred``, ``to_wechat``, ``closed``, ``over``,
    ``case`` (``text`` is its id).
    """

    id: int
    author: Author
    kind: Kind
    stage: Stage
    at: datetime
    text: str = ""
    card: Card | None = None
    picture: PictureOut | None = None
    note: str | None = None
    reason: str = ""
    staff: ColleagueOut | None = None
    sent_at: datetime | None = None


class MessagesOut(msgspec.Struct):
    """A page of messages, newest first."""

    items: list[MessageOut]
    next_cursor: str | None


class SaidOut(msgspec.Struct):
    """What was said, and what WeChat still takes after it."""

    message: MessageOut
    window: WindowOut


class RuleIn(Body, kw_only=True):
    """What the robot does where a customer writes one of these words; the higher ``priority`` wins."""

    match: Match = Match.EXACT
    words: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=20)]
    priority: Annotated[int, Meta(ge=0, le=1000)] = 100
    act: Act = Act.SAY
    text: SaidOrNothing = ""
    card: CardIn | None = None
    active: bool = True


class RuleOut(msgspec.Struct, kw_only=True):
    """A rule of the robot's."""

    id: str
    match: Match
    words: list[str]
    priority: int
    act: Act
    text: str
    card: Card | None
    active: bool


class RulesOut(msgspec.Struct):
    """Every rule, the one that wins first."""

    items: list[RuleOut]


class TryIn(Body):
    """What a customer might write."""

    text: Said


class TriedOut(msgspec.Struct):
    """What the robot would do: ``act``, and by which rule or topic."""

    act: Act
    decision: str


class TextsBody(Body, kw_only=True):
    """What the robot says at the beginning, where nothing fits, for the queue, and at the end (may be empty)."""

    welcome: SaidOrNothing
    fallback: Said
    queued: Said
    closed: SaidOrNothing = ""


class CannedIn(Body, kw_only=True):
    """An answer kept ready; ``store_id`` makes it one store's."""

    title: Title
    text: Said
    store_id: StoreId | None = None
    sort: Annotated[int, Meta(ge=-10_000, le=10_000)] = 0


class CannedOut(msgspec.Struct, kw_only=True):
    """An answer kept ready."""

    id: str
    title: str
    text: str
    store_id: str | None
    sort: int


class CannedListOut(msgspec.Struct):
    """The answers that this person may use."""

    items: list[CannedOut]


class ChatMessageOut(msgspec.Struct, kw_only=True):
    """One thing in the member's own chat; ``author`` is ``me``, ``robot``, ``staff`` or ``system``."""

    id: int
    author: Literal["me", "robot", "staff", "system"]
    kind: Kind
    at: datetime
    text: str = ""
    card: Card | None = None
    picture: PictureOut | None = None
    note: str | None = None


class ChatOut(msgspec.Struct, kw_only=True):
    """The member's chat, newest first; ``ahead`` says how many wait before, where one waits."""

    state: State | None
    ahead: int | None
    items: list[ChatMessageOut]
    next_cursor: str | None
