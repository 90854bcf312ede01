"""Care: a plan's day is run while workers die, its calls are made twice at once, and each gives its gift once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from ..journal import Request
from ..world import Op, World, encode
from . import Domain, Operation
from .coupon_books import local_date
from .staff import FREEZABLE

if TYPE_CHECKING:
    from ..oracle import Books

PLANS, TASKS = "/v1/admin/care-plans", "/v1/admin/care-tasks"
CALL_POINTS, LETTER_POINTS = 3, 2
LETTER = "care.greeting"


class Stored(NamedTuple):
    """What is stored of one task."""

    id: str
    plan_id: str
    member_id: int
    state: str
    given: str | None


class Care(Domain):
    """A member has one task of a plan; a letter's points come with it, a call's when it was said to be done, once."""

    order: ClassVar[int] = 34
    jobs: ClassVar = ("care.run_plans", "care.carry_out")
    facts: ClassVar = {
        "care tasks": "SELECT id, plan_id, member_id, state, given::text FROM care_task WHERE plan_id <> 'BIRTHDAY'",
        "care runs": "SELECT r.plan_id FROM care_run r JOIN care_plan p ON p.id = r.plan_id"
        " WHERE r.done_at IS NOT NULL AND r.on_date = p.starts_on",  # a clock that jumps over it by weeks skips the day
        "care letters": f"""
SELECT l.member_id, count(*), coalesce(m.target_id, l.member_id) FROM message_letter l
  LEFT JOIN merging_merge m ON m.source_id = l.member_id WHERE l.template = '{LETTER}' GROUP BY 1, 3""",  # noqa: S608
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.call = self.letter = ""
        self.tried: set[str] = set()
        self.told: set[str] = set()
        self.moved: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What stores do."""
        return (Operation("care call", 1, self.finish), Operation("birthdays", 0.3, self.look))

    async def prepare(self) -> None:
        """Head office makes two plans for everybody, today: a call, and a letter."""
        today = local_date(datetime.fromtimestamp(self.world.now(), UTC)).isoformat()
        both = {"trigger": {"on": "day"}, "starts_on": today, "hour": 0}
        self.call = await self._start("call", both | {"how": "call", "gift": {"points": CALL_POINTS}})
        letter = {"how": "letter", "template": LETTER, "gift": {"points": LETTER_POINTS}}
        self.letter = await self._start("letter", both | letter)

    async def _start(self, title: str, body: dict[str, Any]) -> str:
        op, made = Op(-1, "care plan", Random(0)), list[str]()
        key = f"care-{self.world.seed}-{title}"
        request = Request(self.world.admin, "POST", PLANS, encode(body | {"title": title}), key=key, booked=False)
        await self.world.ask(op, request, accept=lambda answer: made.append(answer["id"]))
        await self.world.ask(op, Request(self.world.admin, "POST", f"{PLANS}/{made[0]}/start", encode({})))
        return made[0]

    async def finish(self, op: Op) -> None:
        """Say of an open call that it was made, twice at once."""
        found: list[str] = []
        request = Request(self.world.admin, "GET", f"{TASKS}?plan_id={self.call}&status=open&limit=20")
        await self.world.ask(op, request, accept=lambda answer: found.extend(item["id"] for item in answer["items"]))
        if found:
            await self._finish(op, op.random.choice(found))

    async def _finish(self, op: Op, task_id: str) -> None:
        self.tried.add(task_id)

        def accept(answer: Any) -> None:
            self.told.add(task_id)
            if answer["status"] != "done" or answer["given"] != {"points": CALL_POINTS}:
                self.world.blame(f"{task_id} was done and is {answer['status']} with {answer['given']}")

        request = Request(self.world.admin, "POST", f"{TASKS}/{task_id}/done", encode({"note": "好"}))
        await asyncio.gather(*(self.world.ask(op, request, accept=accept) for _ in range(2)))

    async def look(self, op: Op) -> None:
        """Whose birthday it is: of these members nobody's."""
        await self.world.ask(op, Request(self.world.admin, "GET", "/v1/admin/birthdays"))

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What was given is what the tasks say, once a member and plan; the model knows it from now on."""
        tasks = [Stored(*row) for row in books.facts["care tasks"]]
        for (plan_id, member_id), count in Counter((task.plan_id, task.member_id) for task in tasks).items():
            if count > 1:
                yield f"member {member_id} has {count} tasks of plan {plan_id}"
        for task in tasks:
            yield from self._was_given(task)
        done = {task.id for task in tasks if task.state == "done"}
        for task_id in sorted(self.told - done):
            yield f"{task_id} was acknowledged as done and is not"
        for member_id, count, _ in books.facts["care letters"]:
            if count > 1:
                yield f"member {member_id} has {count} letters of one task"
        if final:
            yield from self._settled(books, tasks)

    def _was_given(self, task: Stored) -> Iterator[str]:
        if task.id in self.moved or task.state not in ("sent", "done"):
            return
        points = CALL_POINTS if task.state == "done" else LETTER_POINTS
        if task.given is None or msgspec.json.decode(task.given) != {"points": points}:
            yield f"{task} gave something else than {points} points"
        if task.state == "done" and task.id not in self.tried:
            yield f"{task} was never said to be done"
        self.moved.add(task.id)
        self.world.model.move(task.member_id, points=points)

    def _settled(self, books: Books, tasks: Sequence[Stored]) -> Iterator[str]:
        """Where the day was run everybody has their task; every letter that was sent is there, and nothing is due."""
        ran = {row[0] for row in books.facts["care runs"]}
        always = {member.id for member in self.world.members if member.number % FREEZABLE}
        for plan_id in sorted(ran & {self.call, self.letter}):
            for member_id in sorted(always - {task.member_id for task in tasks if task.plan_id == plan_id}):
                yield f"member {member_id} has no task of plan {plan_id}, whose day was run"
        # Letters stay in a merge, tasks go over unless the target has one of its own: both are read as the target's.
        letters = {row[2] for row in books.facts["care letters"]}
        now = {row[0]: row[2] for row in books.facts["care letters"]}
        sent = {now.get(task.member_id, task.member_id) for task in tasks if task.state == "sent"}
        if sent != letters:
            yield f"letters were sent to {sorted(sent ^ letters)[:5]} …, or not, and the tasks say otherwise"
        for task in tasks:
            if task.state == "due" and task.member_id in always:
                yield f"{task} is still due"
