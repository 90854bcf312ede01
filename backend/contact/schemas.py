"""What is asked for, and the card."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from backend.cards.types import Card
from backend.kernel.http import Body
from backend.members.types import Gender, Stage, Status
from backend.wallet.types import Wallet

from .types import By, Look, Outcome, View

Cursor = Annotated[str, Meta(min_length=1, max_length=128)]


class Lookup(Body):
    """What to look up, one of these; ``text`` is what was typed or scanned, whichever it is."""

    text: Annotated[str, Meta(min_length=1, max_length=80)] | None = None
    code: Annotated[str, Meta(pattern=r"^[0-9]{20}$(?!\n)")] | None = None
    phone: Annotated[str, Meta(pattern=r"^1[3-9][0-9]{9}$(?!\n)")] | None = None
    member_no: Annotated[str, Meta(pattern=r"^[1-9][0-9]{11}$(?!\n)")] | None = None
    openid: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{6,64}$(?!\n)")] | None = None


class NextLevelGlance(msgspec.Struct):
    """The level above, what is missing, and how far the way to it is (basis points)."""

    name: str
    missing_fen: int
    progress_bp: int


class ProfileGlance(msgspec.Struct, kw_only=True):
    """Who it is. ``birthday_day`` is month and day; what this view does not show is null."""

    id: str
    name: str
    status: Status
    member_no: str | None = None
    phone_masked: str | None = None
    gender: Gender | None = None
    birthday: date | None = None
    birthday_day: str | None = None
    days_to_birthday: int | None = None
    store_id: str | None = None
    store_name: str | None = None
    joined_at: datetime | None = None
    attributes: dict[str, Any] | None = None
    attribute_words: dict[str, str] | None = None
    level_code: str
    level_name: str
    discount_bp: int
    growth_fen: int | None = None
    next_level: NextLevelGlance | None = None
    stage: Stage | None = None
    stage_since: date | None = None


class CouponGlance(msgspec.Struct):
    """A coupon that can be used."""

    id: str
    title: str
    expires_on: date | None


class CouponsGlance(msgspec.Struct):
    """How many coupons can be used (1,000 at most are counted), when the first ends, and the newest of them."""

    available: int
    first_expires_on: date | None
    items: list[CouponGlance]


class CardsGlance(msgspec.Struct):
    """Gift cards, service and discount cards, campaign cards."""

    items: list[Card]


class PurchaseGlance(msgspec.Struct):
    """A purchase at a till (``sale``) or in the mall (``order``). ``articles`` names the first few."""

    id: str
    kind: Literal["sale", "order"]
    at: datetime
    state: str
    store_id: str
    store_name: str
    payable_fen: int
    refunded_fen: int
    pieces: int
    articles: list[str]


class PurchasesGlance(msgspec.Struct):
    """The last purchases, newest first."""

    items: list[PurchaseGlance]


class FavouriteGlance(msgspec.Struct):
    """An article that is bought again and again."""

    sku: str
    name: str
    pieces: int
    times: int
    last_on: date


class HabitsGlance(msgspec.Struct):
    """How often the member comes, and for what."""

    visits_90_days: int
    first_on: date | None
    last_on: date | None
    favourites: list[FavouriteGlance]


class MovementGlance(msgspec.Struct):
    """A movement of stored value."""

    at: datetime
    kind: str
    title: str
    amount_fen: int
    balance_after_fen: int


class MovementsGlance(msgspec.Struct):
    """The last movements of stored value, newest first."""

    items: list[MovementGlance]


class LetterGlance(msgspec.Struct):
    """A letter in the member's inbox."""

    id: str
    at: datetime
    purpose: str
    title: str
    read: bool


class LettersGlance(msgspec.Struct):
    """What the member was written, newest first, and how much of it they have not read."""

    unread: int
    items: list[LetterGlance]


class SuggestionGlance(msgspec.Struct):
    """A signed suggestion."""

    id: str
    box_id: str
    box: str
    at: datetime
    state: str
    words: str


class SuggestionsGlance(msgspec.Struct):
    """Signed suggestions in boxes that the viewer administers, newest first; anonymous ones are nobody's."""

    items: list[SuggestionGlance]


class CaseGlance(msgspec.Struct):
    """A case: its first words, and by when it is to be answered."""

    id: str
    at: datetime
    kind: str
    state: str
    due_at: datetime
    words: str


class CasesGlance(msgspec.Struct):
    """Cases, newest first, and how many of them are not closed."""

    open: int
    items: list[CaseGlance]


class ConversationGlance(msgspec.Struct):
    """A conversation with customer service; ``unread``: said since a person answered."""

    id: str
    state: str
    last_at: datetime
    unread: int


class SurveyGlance(msgspec.Struct):
    """A survey that was answered under the member's name."""

    id: str
    title: str
    answered_on: date


class SurveysGlance(msgspec.Struct):
    """Surveys, the last answered first."""

    items: list[SurveyGlance]


class CareTaskGlance(msgspec.Struct):
    """A letter or a to-do of a care plan."""

    id: str
    at: datetime
    title: str
    state: str
    due_on: date | None


class CareGlance(msgspec.Struct):
    """Care, newest first, and how many to-dos of it are open."""

    open: int
    items: list[CareTaskGlance]


class ContactOut(msgspec.Struct, kw_only=True):
    """The card. ``partial`` names sections that did not come in time: ask again; ``hidden`` those this view lacks."""

    view: View
    found_by: By
    profile: ProfileGlance
    wallet: Wallet | None = None
    coupons: CouponsGlance | None = None
    cards: CardsGlance | None = None
    purchases: PurchasesGlance | None = None
    habits: HabitsGlance | None = None
    movements: MovementsGlance | None = None
    letters: LettersGlance | None = None
    suggestions: SuggestionsGlance | None = None
    cases: CasesGlance | None = None
    conversation: ConversationGlance | None = None
    surveys: SurveysGlance | None = None
    care: CareGlance | None = None
    partial: list[str] = []
    hidden: list[str] = []


class LooksQuery(Body):
    """Whose looks, at whom."""

    member_id: Annotated[str, Meta(min_length=1, max_length=19)] | None = None
    staff_id: Annotated[str, Meta(min_length=1, max_length=19)] | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class LookOut(msgspec.Struct):
    """Who looked at whom, when, by what."""

    at: datetime
    staff_id: str
    by: By
    outcome: Outcome
    member_id: str | None
    view: View | None


class LooksOut(msgspec.Struct):
    """Looks, newest first."""

    items: list[LookOut]
    next_cursor: str | None


def look_out(look: Look) -> LookOut:
    """A look as head office sees it."""
    member_id = str(look.member_id) if look.member_id is not None else None
    return LookOut(look.at, str(look.staff_id), look.by, look.outcome, member_id, look.view)
