"""Feedback cases: opened twice at once, moved by two hands at once, given for once, seen by those they concern."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Clerk, Member, Op, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

OWN, DESK = "/v1/member/cases", "/v1/admin/cases"
REFUSED = frozenset({"case_conflict", "case_full"})
UNGIVEN = frozenset({"case_gift_given", "case_gift_limit", "member_inactive"})
POINTS = 4
MOST_KEPT = 30

# By action: from which states, and where to. What is not named leaves the state as it is.
WAITING = ("received", "assigned", "in_progress", "reopened")
MOVES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "start": (("received", "assigned", "reopened"), "in_progress"),
    "answer": ((*WAITING, "answered"), "answered"),
    "confirm": (("answered",), "confirmed"),
    "reopen": (("answered", "confirmed", "closed"), "reopened"),
    "close": (("answered", "confirmed"), "closed"),
}
ACTIONS = ("start", "answer", "answer", "close", "prioritise", "confirm", "reopen", "say", "rate", "give")
QUIET = ("say", "give", "note", "rate", "prioritise", "escalate", "contact", "claim")


@dataclass
class Case:
    """A case as its member was told; ``told`` are the steps that were acknowledged, by version."""

    id: str
    member: Member
    text: str
    version: int = 1
    told: dict[int, str] = field(default_factory=dict)


class Cases(Domain):
    """Of two steps decided on one version one is taken; steps have no gaps, and states go only where they may."""

    order: ClassVar[int] = 35
    facts: ClassVar = {
        "case gifts": "SELECT id, member_id, (given->>'points')::int FROM feedback_case WHERE given IS NOT NULL",
        "cases": "SELECT id, member_id, state, version, excerpt FROM feedback_case",
        "case_steps": "SELECT case_id, version, action, state FROM feedback_step ORDER BY case_id, version",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.cases: dict[str, Case] = {}
        self.asked: set[str] = set()
        self.given: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What members and staff do."""
        return (
            Operation("case", 1.5, self.open),
            Operation("case step", 5, self.move),
            Operation("another's case", 0.5, self.look),
        )

    async def open(self, op: Op) -> None:
        """A member complains, at times twice at once with one key."""
        member, text = self.world.pick(op.random), f"torture {self.world.seed} {op.number}"
        self.asked.add(text)
        body = {"kind": op.random.choice(("complaint", "praise")), "text": text, "store_id": member.home}
        key = f"k{self.world.seed}-{op.number}"
        request = Request(member, "POST", OWN, encode(body), key=key, scope=member.who, booked=False)

        def accept(made: Any) -> None:
            case = self.cases.setdefault(made["id"], Case(made["id"], member, text))
            if case.text != text:
                self.world.blame(f"case {case.id} stands for {case.text} and for {text}")

        times = 2 if op.random.random() < 0.3 else 1
        await asyncio.gather(*(self.world.ask(op, request, accept=accept) for _ in range(times)))

    def _pick(self, op: Op) -> Case | None:
        recent = list(self.cases.values())[-MOST_KEPT:]
        return op.random.choice(recent) if recent else None

    async def move(self, op: Op) -> None:
        """One or two hands take a step that they decided on the version they saw."""
        case = self._pick(op)
        if case is None:
            return
        hands = [self._hand(op, case, f"{op.number}{hand}") for hand in ("a", "b")[: op.random.choice((1, 1, 2))]]
        await asyncio.gather(*(self._step(op, case, action, request) for action, request in hands))

    def _hand(self, op: Op, case: Case, name: str) -> tuple[str, Request]:
        """What somebody does next: an action, and how it is asked for."""
        action = op.random.choice(ACTIONS)
        own, version, text = f"{OWN}/{case.id}", case.version, f"{action} {name}"
        staff = op.random.choice([one for one in self.world.staff if self._handles(one, case)])
        urgency = op.random.choice(("low", "high"))
        bodies: dict[str, tuple[Member | Clerk, str, str, dict[str, Any]]] = {
            "start": (staff, "POST", f"{DESK}/{case.id}/start", {}),
            "answer": (staff, "POST", f"{DESK}/{case.id}/answer", {"text": text}),
            "close": (staff, "POST", f"{DESK}/{case.id}/close", {"outcome": "solved", "compensation": name}),
            "give": (staff, "POST", f"{DESK}/{case.id}/give", {"points": POINTS, "reason": text}),
            "prioritise": (staff, "POST", f"{DESK}/{case.id}/priority", {"priority": urgency}),
            "confirm": (case.member, "POST", f"{own}/confirm", {}),
            "reopen": (case.member, "POST", f"{own}/reopen", {"text": text}),
            "say": (case.member, "POST", f"{own}/messages", {"text": text}),
            "rate": (case.member, "PUT", f"{own}/rating", {"rating": op.random.randint(1, 5), "text": name}),
        }
        who, method, path, body = bodies[action]
        if action == "say":
            key = f"s{self.world.seed}-{name}"
            return action, Request(who, method, path, encode(body), key=key, scope=case.id, booked=False)
        if action == "rate":
            return action, Request(who, method, path, encode(body))
        return action, Request(who, method, path, encode(body | {"version": version}))

    @staticmethod
    def _handles(one: Clerk, case: Case) -> bool:
        return one.role == "admin" or one.store_id == case.member.home

    @staticmethod
    def _sees(one: Clerk, case: Case) -> bool:
        # of head office some do by their role, and some are refused by it
        return one.store_id in (None, case.member.home)

    async def _step(self, op: Op, case: Case, action: str, request: Request) -> None:
        decided_on = case.version

        def accept(shown: Any) -> None:
            case.version = max(case.version, shown["version"])
            if action not in ("say", "rate"):
                before = case.told.setdefault(decided_on + 1, action)
                if before != action:
                    self.world.blame(f"step {decided_on + 1} of case {case.id} was {before} and {action}")

        refusals = REFUSED | UNGIVEN if action == "give" else REFUSED
        answer = await self.world.ask(op, request, accept=accept, refusals=refusals)
        if answer.code == "case_conflict":
            fresh = Request(self.world.admin, "GET", f"{DESK}/{case.id}")
            await self.world.ask(op, fresh, accept=lambda shown: self._saw(case, shown))

    @staticmethod
    def _saw(case: Case, shown: Any) -> None:
        case.version = max(case.version, shown["version"])

    async def look(self, op: Op) -> None:
        """Another member, or another store's staff, asks for it."""
        case = self._pick(op)
        if case is None:
            return
        others: list[tuple[Member | Clerk, str]] = [(one, OWN) for one in self.world.members if one is not case.member]
        others += [(one, DESK) for one in self.world.staff if not self._sees(one, case)]
        who, path = op.random.choice(others)
        await self.world.ask_in_vain(
            op, Request(who, "GET", f"{path}/{case.id}"), refusals=frozenset({"not_found", "forbidden"})
        )

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Cases are those that were opened, once each; their steps are whole, lawful, and what was acknowledged."""
        steps: dict[str, list[tuple[int, str, str]]] = {}
        for case_id, version, action, state in books.facts["case_steps"]:
            steps.setdefault(case_id, []).append((version, action, state))
        times: Counter[str] = Counter()
        stored = set()
        for case_id, member_id, state, version, text in books.facts["cases"]:
            if not text.startswith("torture "):
                continue  # customer service opened it
            if text not in self.asked:
                yield f"case {case_id} is stored, and nobody opened it"
                continue
            times[text] += 1
            stored.add(case_id)
            yield from _whole(case_id, state, version, steps.get(case_id, []))
            if case_id in self.cases:
                yield from self._told(self.cases[case_id], member_id, steps.get(case_id, []))
        yield from self._gifts(books)
        for text, count in times.items():
            if count > 1:
                yield f"{text} was opened {count} times"
        for case_id in self.cases:
            if case_id not in stored:
                yield f"case {case_id} was acknowledged and is not stored"

    def _gifts(self, books: Books) -> Iterator[str]:
        """Each case gave once, as much as was asked for; the model knows it from now on."""
        for case_id, member_id, points in books.facts["case gifts"]:
            if points != POINTS:
                yield f"case {case_id} gave {points} points"
            if case_id not in self.given:
                self.given.add(case_id)
                self.world.model.move(member_id, points=points)
        for case in self.cases.values():
            if "give" in case.told.values() and case.id not in self.given:
                yield f"case {case.id} was acknowledged as given for and is not"

    @staticmethod
    def _told(case: Case, member_id: int | None, steps: Sequence[tuple[int, str, str]]) -> Iterator[str]:
        if member_id != case.member.id:
            yield f"case {case.id} is {member_id}'s, and {case.member.id} opened it"
        taken = {version: action for version, action, _ in steps}
        for version, action in case.told.items():
            if taken.get(version) != action:
                yield f"step {version} of case {case.id} was acknowledged as {action}, stored is {taken.get(version)}"


def _whole(case_id: str, state: str, version: int, steps: Sequence[tuple[int, str, str]]) -> Iterator[str]:
    """Steps count from one to the case's version, and each leads where it may."""
    if [number for number, _, _ in steps] != list(range(1, version + 1)):
        yield f"case {case_id} has version {version} and steps {[number for number, _, _ in steps]}"
        return
    before = ""
    for number, action, after in steps:
        if not before:
            lawful = (action, after) == ("open", "received")
        elif action in QUIET:
            lawful = after == before
        elif action == "assign":
            lawful = before in (*WAITING, "answered")
        else:
            sources, target = MOVES.get(action, ((), None))
            lawful = before in sources and after == target
        if not lawful:
            yield f"step {number} of case {case_id} is {action} from {before or 'nothing'} to {after}"
        before = after
    if before != state:
        yield f"case {case_id} is {state}, its last step left it {before}"
