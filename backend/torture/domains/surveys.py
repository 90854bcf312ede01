"""Surveys: an answer arrives once however it is sent, no quota and no prize is exceeded, and all is paid once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Op, World, encode
from . import Domain, Operation
from .staff import FREEZABLE

if TYPE_CHECKING:
    from ..oracle import Books

SURVEYS = "/v1/admin/surveys"
MINE = "/v1/member/surveys"
POINTS = 7
PRIZE, STOCK, CONSOLATION = 100, 2, 1
MOST = 40
"""Surveys in one run: each member answers each of them once."""

DONE = frozenset({"survey_answered", "survey_full", "survey_closed"})
QUESTIONS = [
    {
        "id": "taste",
        "kind": "single",
        "title": "味道",
        "options": [{"id": "good", "text": "好"}, {"id": "bad", "text": "差"}],
    },
    {"id": "nps", "kind": "nps", "title": "推荐吗"},
]


class Asked(NamedTuple):
    """A survey as head office made it; ``total`` and ``bad`` are its quotas."""

    id: str
    anonymous: bool
    draw: bool
    total: int
    bad: int


class Part(NamedTuple):
    """What is stored of a member's participation."""

    survey_id: str
    member_id: int
    done: bool
    points: int | None
    prize: int | None
    paid: bool


class Stored(NamedTuple):
    """What is stored of a survey: answers, those of members and those that were entered, quotas and prizes."""

    survey_id: str
    answers: int
    named: int
    members: int
    entered: int
    bad: int
    taken: int
    taken_bad: int
    given: int
    given_scarce: int


FACTS = {
    "survey parts": """
SELECT survey_id, member_id, done_on IS NOT NULL, (outcome->>'points')::int, (outcome->>'prize')::int, paid
  FROM survey_participation""",
    "surveys": """
SELECT s.id, count(a.id), count(a.member_id), count(DISTINCT a.member_id), count(a.entered_by),
       count(a.id) FILTER (WHERE a.given @> '[{"question": "taste", "choices": ["bad"]}]'),
       coalesce((SELECT taken FROM survey_quota q WHERE q.survey_id = s.id AND q.key = 'total'), 0),
       coalesce((SELECT taken FROM survey_quota q WHERE q.survey_id = s.id AND q.key = 'answer:taste:bad'), 0),
       coalesce((SELECT sum(given) FROM survey_prize p WHERE p.survey_id = s.id), 0),
       coalesce((SELECT given FROM survey_prize p WHERE p.survey_id = s.id AND p.number = 0), 0)
  FROM survey s LEFT JOIN survey_answer a ON a.survey_id = s.id GROUP BY s.id""",
}


class Surveys(Domain):
    """What was answered is there once, what was refused is not, and every reward was promised and paid once."""

    order: ClassVar[int] = 34
    jobs: ClassVar = ("surveys.pay_due", "surveys.mix_answers")
    facts: ClassVar = FACTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.asked: dict[str, Asked] = {}
        self.closed: set[str] = set()
        self.project = self.foreign = ""
        self.tried: set[tuple[str, int]] = set()
        self.told: set[tuple[str, int]] = set()
        self.entered: Counter[str] = Counter()
        self.entering: Counter[str] = Counter()
        self.paid: set[tuple[str, int]] = set()
        self._making = asyncio.Lock()

    @property
    def operations(self) -> Sequence[Operation]:
        """What phones, shops and head office do."""
        return (
            Operation("survey answer", 3, self.answer),
            Operation("survey progress", 1, self.save),
            Operation("survey on paper", 1, self.enter),
            Operation("closed or foreign survey", 0.5, self.answer_in_vain),
            Operation("another survey", 0.3, self.make_another),
        )

    async def prepare(self) -> None:
        """Head office makes a project, a survey of each sort, and one that asks a single member."""
        op = Op(-1, "survey", Random(0))
        made: list[Any] = []
        body = encode({"name": "服务质量"})
        await self.world.ask(op, Request(self.world.admin, "POST", f"{SURVEYS}/projects", body), accept=made.append)
        self.project = made[0]["id"]
        for number in range(2):
            await self._make(op, anonymous=bool(number), draw=bool(number))
        only = {"audience": {"member_nos": ["999999999999"]}}
        self.foreign = await self._publish(op, only)

    async def _make(self, op: Op, *, anonymous: bool, draw: bool) -> None:
        members = len(self.world.members)
        asked = Asked("", anonymous, draw, max(members * 3 // 2, 2), max(members // 4, 1))
        prizes = [
            {"title": "大奖", "chance_bp": 6_000, "stock": STOCK, "points": PRIZE},
            {"title": "谢谢", "chance_bp": 4_000, "points": CONSOLATION},
        ]
        id_ = await self._publish(
            op,
            {
                "anonymous": anonymous,
                "total": asked.total,
                "quotas": [{"limit": asked.bad, "question": "taste", "choice": "bad"}],
                "reward": {"prizes": prizes} if draw else {"points": POINTS},
            },
        )
        self.asked[id_] = asked._replace(id=id_)

    async def _publish(self, op: Op, terms: dict[str, Any]) -> str:
        content = {"pages": [{"questions": QUESTIONS}]}
        body = encode({"project_id": self.project, "title": "问卷", "content": content} | terms)
        made: list[Any] = []
        await self.world.ask(op, Request(self.world.admin, "POST", SURVEYS, body), accept=made.append)
        await self.world.ask(op, Request(self.world.admin, "POST", f"{SURVEYS}/{made[0]['id']}/publish"))
        id_: str = made[0]["id"]
        return id_

    async def make_another(self, op: Op) -> None:
        """One more survey; an old one is closed where many run."""
        async with self._making:
            if len(self.asked) >= MOST:
                return
            await self._make(op, anonymous=op.random.random() < 0.5, draw=op.random.random() < 0.5)
            running = [id_ for id_ in self.asked if id_ not in self.closed]
            if len(running) > 6:
                await self.world.ask(op, Request(self.world.admin, "POST", f"{SURVEYS}/{running[0]}/close"))
                self.closed.add(running[0])

    # -- phones and shops

    def _pick(self, op: Op) -> str:
        return op.random.choice([id_ for id_ in self.asked if id_ not in self.closed])

    def _answers(self, op: Op) -> list[dict[str, Any]]:
        taste = "bad" if op.random.random() < 0.3 else "good"
        return [{"question": "taste", "choices": [taste]}, {"question": "nps", "number": op.random.randrange(11)}]

    async def answer(self, op: Op) -> None:
        """A member's answer; often with the same key twice at once, sometimes with two keys."""
        member, id_ = self.world.pick(op.random), self._pick(op)
        body = encode({"version": 1, "answers": self._answers(op)})
        times, same = (2, op.random.random() < 0.6) if op.random.random() < 0.5 else (1, True)
        self.tried.add((id_, member.id))

        def accept(answer: Any) -> None:
            self.told.add((id_, member.id))
            if (answer["won"] or {}).get("points") not in ((PRIZE, CONSOLATION) if self.asked[id_].draw else (POINTS,)):
                self.world.blame(f"member {member.id} was promised {answer['won']} for survey {id_}")

        await asyncio.gather(
            *(
                self.world.ask(
                    op,
                    Request(
                        member,
                        "POST",
                        f"{MINE}/{id_}/answers",
                        body,
                        f"{op.number}-{0 if same else number}",
                        booked=False,
                    ),
                    accept=accept,
                    refusals=DONE,
                    over=DONE,
                )
                for number in range(times)
            )
        )

    async def save(self, op: Op) -> None:
        """Answers so far."""
        member, id_ = self.world.pick(op.random), self._pick(op)
        body = {"version": 1, "revision": op.number + 1, "answers": self._answers(op)[:1]}
        request = Request(member, "PUT", f"{MINE}/{id_}/progress", encode(body))
        await self.world.ask(op, request, refusals=DONE)

    async def enter(self, op: Op) -> None:
        """An answer on paper by somebody unknown."""
        id_ = self._pick(op)
        body = encode({"medium": "paper", "answers": self._answers(op)})
        self.entering[id_] += 1

        def accept(_: Any) -> None:
            self.entered[id_] += 1

        request = Request(
            self.world.admin, "POST", f"{SURVEYS}/{id_}/answers", body, f"paper-{op.number}", booked=False
        )
        await self.world.ask(op, request, accept=accept, refusals=DONE, over=DONE)

    async def answer_in_vain(self, op: Op) -> None:
        """A survey that is over, or is for somebody else."""
        member = self.world.pick(op.random)
        over = [id_ for id_ in self.closed if (id_, member.id) not in self.tried]
        id_ = op.random.choice(over) if over and op.random.random() < 0.5 else self.foreign
        body = encode({"version": 1, "answers": self._answers(op)})
        request = Request(member, "POST", f"{MINE}/{id_}/answers", body, f"vain-{op.number}")
        await self.world.ask_in_vain(op, request, refusals=frozenset({"survey_closed", "not_found"}))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What is stored was sent and what was acknowledged is stored; what was paid the model knows from now on."""
        parts = [Part._make(row) for row in books.facts["survey parts"] if row[0] in self.asked]
        done = {(part.survey_id, part.member_id) for part in parts if part.done}
        for survey_id, member_id in self.told - done:
            yield f"the answer of member {member_id} to survey {survey_id} was acknowledged and is not stored"
        for survey_id, member_id in done - self.tried:
            yield f"member {member_id} answered survey {survey_id} and never tried to"
        for part in parts:
            yield from self._paid(part, final=final)
        for stored in map(Stored._make, books.facts["surveys"]):
            if stored.survey_id in self.asked:
                yield from self._counted(stored, sum(survey == stored.survey_id for survey, _ in done))
            elif stored.answers:
                yield f"{stored} has answers that nobody was asked for"

    def _paid(self, part: Part, *, final: bool) -> Iterator[str]:
        promised = (PRIZE, CONSOLATION) if self.asked[part.survey_id].draw else (POINTS,)
        if part.done != (part.points is not None) or (part.done and part.points not in promised):
            yield f"{part} is given what was not promised"
        key = (part.survey_id, part.member_id)
        if part.paid and key not in self.paid:
            self.paid.add(key)
            self.world.model.move(part.member_id, points=part.points or 0)
        if final and part.done and not part.paid and not self._is_freezable(part.member_id):
            yield f"{part} was never paid"

    def _is_freezable(self, member_id: int) -> bool:
        return any(member.id == member_id and member.number % FREEZABLE == 0 for member in self.world.members)

    def _counted(self, stored: Stored, done: int) -> Iterator[str]:
        asked = self.asked[stored.survey_id]
        if stored.answers != done + stored.entered or stored.named != (0 if asked.anonymous else done):
            yield f"{stored} has other answers than {done} participations"
        if stored.named != stored.members:
            yield f"{stored} has two answers of one member"
        if (stored.taken, stored.taken_bad) != (stored.answers, stored.bad):
            yield f"{stored} counts otherwise than it has answers"
        if stored.answers > asked.total or stored.bad > asked.bad:
            yield f"{stored} has more answers than {asked} allows"
        if asked.draw and (stored.given != done or stored.given_scarce > STOCK):
            yield f"{stored} gave other prizes than there are"
        if not self.entered[stored.survey_id] <= stored.entered <= self.entering[stored.survey_id]:
            yield f"{stored} has other papers than {self.entered[stored.survey_id]} that were acknowledged"
