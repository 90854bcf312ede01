"""Surveys, their content and terms, answers and participations."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.audience.types import EVERYBODY, Audience
from backend.kernel.money import FenOrZero

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Key = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9_]+$(?!\n)")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Words = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Text = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Whole = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)]
Points = Annotated[int, Meta(ge=1, le=100_000)]
TemplateId = Annotated[str, Meta(min_length=1, max_length=16)]

END = "end"
"""Where a jump leads that is over the last question."""

WHOLE_BP = 10_000
"""What the chances of a lottery's prizes make together."""


TOTAL = "total"
"""What all answers are counted under, where these are bounded."""


class SurveyState(StrEnum):
    """How a survey stands: never published, taking answers, stopped for a while, over for good."""

    DRAFT = "draft"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class QuestionKind(StrEnum):
    """What a question is answered with."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    RATING = "rating"
    NPS = "nps"
    MATRIX = "matrix"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    PHOTO = "photo"


class Medium(StrEnum):
    """How an answer came: from the phone page, or on paper or by telephone and entered by staff."""

    PHONE = "phone"
    PAPER = "paper"
    TELEPHONE = "telephone"


class Reveal(StrEnum):
    """What somebody is told of the right answers once they have sent theirs."""

    NOTHING = "nothing"
    SCORE = "score"
    ANSWERS = "answers"


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of what content and terms are made of: the same in requests, in the database and in answers."""


class Option(Part, frozen=True, kw_only=True):
    """Something to choose. ``exclusive``: goes with no other; ``free``: a text may be added (其他)."""

    id: Key
    text: Line
    exclusive: bool = False
    free: bool = False


class Jump(Part, frozen=True, kw_only=True):
    """Where the way leads after a question, if its answer is as said: all of it; where nothing is said, always.

    ``any_of`` and ``none_of`` are choices, ``at_least`` and ``at_most`` numbers; ``unanswered`` asks for no answer.
    """

    to: Annotated[str, Meta(min_length=1, max_length=20, description="后面的题号，或 end")]
    any_of: Annotated[tuple[Key, ...], Meta(max_length=50)] = ()
    none_of: Annotated[tuple[Key, ...], Meta(max_length=50)] = ()
    at_least: Whole | None = None
    at_most: Whole | None = None
    unanswered: bool = False


class Reference(Part, frozen=True, kw_only=True):
    """The right answer, where there is one, and the ``score`` for it; ``note`` explains it afterwards."""

    choices: Annotated[tuple[Key, ...], Meta(max_length=50)] = ()
    texts: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    at_least: Whole | None = None
    at_most: Whole | None = None
    score: Annotated[int, Meta(ge=0, le=1000)] = 1
    note: Words = ""


class Question(Part, frozen=True, kw_only=True):
    """A question. Which fields mean something, its kind says.

    ``options``: single, multiple, and a matrix's columns; ``rows``: a matrix's. ``at_least`` and ``at_most``: how many
    options, what rating or number, how many characters, how many photos. ``from_on``, ``until_on``: dates.
    ``decimals``: a number's. ``low`` and ``high`` name the ends of a scale.
    """

    id: Key
    kind: QuestionKind
    title: Line
    hint: Words = ""
    required: bool = True
    options: Annotated[tuple[Option, ...], Meta(max_length=50)] = ()
    rows: Annotated[tuple[Option, ...], Meta(max_length=30)] = ()
    at_least: Whole | None = None
    at_most: Whole | None = None
    decimals: Annotated[int, Meta(ge=0, le=3)] = 0
    from_on: date | None = None
    until_on: date | None = None
    low: Annotated[str, Meta(max_length=20)] = ""
    high: Annotated[str, Meta(max_length=20)] = ""
    reference: Reference | None = None
    jumps: Annotated[tuple[Jump, ...], Meta(max_length=20)] = ()


class Page(Part, frozen=True, kw_only=True):
    """What stands on one page."""

    title: Annotated[str, Meta(max_length=60)] = ""
    questions: Annotated[tuple[Question, ...], Meta(min_length=1, max_length=50)]


class Content(Part, frozen=True, kw_only=True):
    """What a survey asks: words before and after, and its pages in their order."""

    intro: Words = ""
    thanks: Words = ""
    reveal: Reveal = Reveal.NOTHING
    pages: Annotated[tuple[Page, ...], Meta(max_length=30)] = ()

    @property
    def questions(self) -> list[Question]:
        """All questions in their order."""
        return [question for page in self.pages for question in page.questions]


class Given(Part, frozen=True, kw_only=True):
    """The answer to one question, in the field that its kind names."""

    question: Key
    choices: Annotated[tuple[Key, ...], Meta(max_length=50, description="单选、多选")] = ()
    text: Annotated[Text, Meta(description="文本；或所选“其他”的补充")] = ""
    number: Annotated[float, Meta(ge=-1e9, le=1e9)] | None = None
    on: date | None = None
    cells: Annotated[dict[Key, Key], Meta(max_length=30, description="矩阵：行 → 列")] = {}
    photos: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...], Meta(max_length=6)] = ()


class Prize(Part, frozen=True, kw_only=True):
    """What may be drawn: points or a coupon. ``chance_bp`` are ten-thousandths; ``stock`` None never runs out."""

    title: Name
    chance_bp: Annotated[int, Meta(ge=1, le=WHOLE_BP)]
    stock: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    points: Points | None = None
    template_id: TemplateId | None = None


class Reward(Part, frozen=True, kw_only=True):
    """What an answer is given: points, a coupon, or one of the prizes of a lottery; exactly one of the three."""

    points: Points | None = None
    template_id: TemplateId | None = None
    prizes: Annotated[tuple[Prize, ...], Meta(max_length=20)] = ()


class Quota(Part, frozen=True, kw_only=True):
    """At most so many answers: of a level, or of those who chose an option of a question."""

    limit: Annotated[int, Meta(ge=1, le=10_000_000)]
    level: Code | None = None
    question: Key | None = None
    choice: Key | None = None

    @property
    def key(self) -> str:
        """What it counts under."""
        return f"level:{self.level}" if self.level is not None else f"answer:{self.question}:{self.choice}"


class AfterSale(Part, frozen=True, kw_only=True):
    """Who bought is invited for ``within_days``; empty ``store_ids``: anywhere.

    Whoever buys again ``every_days`` after the last invitation or answer is invited anew, and may answer anew.
    """

    within_days: Annotated[int, Meta(ge=1, le=90)] = 7
    every_days: Annotated[int, Meta(ge=1, le=3650)] = 90
    min_fen: FenOrZero = 0
    store_ids: Annotated[tuple[Code, ...], Meta(max_length=200)] = ()


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Who may answer, when, how many, and what for. ``total`` None and no quotas: any number."""

    title: str
    anonymous: bool = False
    audience: Audience = EVERYBODY
    after_sale: AfterSale | None = None
    total: int | None = None
    quotas: tuple[Quota, ...] = ()
    reward: Reward | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """A survey as it stands; ``version`` 0 was never published."""

    id: str
    project_id: str
    state: SurveyState
    terms: Terms
    version: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None

    def takes_answers(self, at: datetime) -> bool:
        """Whether members may answer at that instant, as far as state and times go."""
        return self.state is SurveyState.OPEN and self.has_begun(at) and not self.is_over(at)

    def asks(self, store_id: str) -> bool:
        """Whether it is for members or buyers of that store, as far as it names stores."""
        after, stores = self.terms.after_sale, self.terms.audience.store_ids
        return (stores is None or store_id in stores) and (
            after is None or not after.store_ids or store_id in after.store_ids
        )

    def has_begun(self, at: datetime) -> bool:
        """Whether its opening time has come."""
        return self.terms.opens_at is None or self.terms.opens_at <= at

    def is_over(self, at: datetime) -> bool:
        """Whether its closing time has come."""
        return self.terms.closes_at is not None and self.terms.closes_at <= at


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What surveys are kept together under."""

    id: str
    name: str
    note: str
    archived: bool
    surveys: int
    created_at: datetime
    updated_at: datetime


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a member is given for an answer: decided when it is stored, paid at once or a little later.

    ``points`` and ``template_id`` are what is due; ``prize`` is what was drawn, by its number.
    """

    prize: int | None = None
    title: str = ""
    points: int | None = None
    template_id: str | None = None
    coupon_ids: tuple[str, ...] = ()


class Participation(msgspec.Struct, frozen=True, kw_only=True):
    """How far a member is with a survey; ``round`` counts the answers where sales ask anew, the first is rewarded."""

    survey_id: str
    member_id: int
    round: int = 1
    version: int | None = None
    revision: int = 0
    page: int = 0
    saved: tuple[Given, ...] = ()
    store_id: str | None = None
    invited_at: datetime | None = None
    invited_until: datetime | None = None
    done_on: date | None = None
    key: str | None = None
    request_hash: bytes | None = None
    answer_id: int | None = None
    outcome: Outcome | None = None
    paid: bool = False

    @property
    def done(self) -> bool:
        """Whether the answer was sent."""
        return self.done_on is not None


class Taken(msgspec.Struct, frozen=True):
    """A survey that a member answered under their name, and when."""

    survey_id: str
    title: str
    answered_on: date
