"""Groups whose owner allots value to one of its people, also while the owner becomes part of another member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Member, Op, World, encode
from . import Domain, Operation
from .members import Members
from .merges import APART, FIRST_NUMBER, Merges, Twins, compare_sums

if TYPE_CHECKING:
    from ..oracle import Books

GROUPS, OWN = "/v1/admin/groups", "/v1/member/group/allotments"
MOST_GROUPS = 12
NOT_TO_BE_HAD = frozenset(
    {
        *("group_allotment_over", "group_allotment_limit", "group_allotment_too_much", "pin_required", "pin_locked"),
        *("insufficient_balance", "stored_limit_reached"),
    }
)
NOT_FOUNDED = frozenset(
    {
        *("already_exists", "group_member_taken", "group_conflict", "group_owner", "status_conflict"),
        *("validation_failed", "not_found"),
    }
)


class Founded(NamedTuple):
    """A group: whose it is, and the one who is given something, by their number there."""

    pair: Twins
    person: Member
    person_id: str


class Allotments(Domain):
    """What the owner allots is the other's, once a key, whoever the owner is by then."""

    order: ClassVar[int] = 63
    machines: ClassVar = {"group_allotment": {"": ("done",), "done": ()}}
    facts: ClassVar = {
        "allotments": "SELECT id, principal_id, member_id, kind, amount FROM group_allotment",
        "between owners and their people": """
SELECT unit, sum(amount)::bigint FROM ledger_entry WHERE kind = 'house.group_clearing'
 GROUP BY unit HAVING sum(amount) <> 0""",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.groups: list[Founded] = []
        self.told: dict[str, tuple[int, int, str, int]] = {}
        self._moved: set[str] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What head office does; owners allot in ``twin_calls``."""
        return (Operation("group founded", 0.5, self.found),)

    async def found(self, op: Op) -> None:
        """A group of one who has a twin, and somebody whom nobody else picks."""
        pair = self.world.domain(Merges).pick(op, merged=False)
        if pair is None or len(self.groups) >= MOST_GROUPS or any(one.pair is pair for one in self.groups):
            return
        number = FIRST_NUMBER + 2 * APART * op.number + 1
        person = Member(number, f"t{self.world.seed}-{number}", f"137{number % 10**8:08d}", pair.source.home)
        await self.world.domain(Members).join(person)
        self.world.apart.append(person)
        body, made = {"number": f"T{op.number}", "name": "考验公司"}, list[Any]()
        await self._ask(op, GROUPS, body, made)
        for member, role in ((pair.source, "owner"), (person, "member")):
            if made:
                await self._ask(
                    op, f"{GROUPS}/{made[0]['id']}/members", {"member_no": member.member_no, "role": role}, made
                )
        if len(made) == 3:  # nobody became somebody else's part meanwhile, and no answer was lost
            self.groups.append(Founded(pair, person, made[2]["id"]))

    async def _ask(self, op: Op, path: str, body: Any, made: list[Any]) -> None:
        request = Request(self.world.admin, "POST", path, encode(body))
        refusals = frozenset(
            {"already_exists", "group_member_taken", "group_conflict", "group_owner", "validation_failed"}
        )
        await self.world.ask(op, request, accept=made.append, refusals=refusals | {"not_found", "status_conflict"})

    async def allot(self, op: Op, pair: Twins, member: Member, *, refusals: frozenset[str]) -> None:
        """Something of the owner's for the other one; who owns nothing is refused."""
        group = next((one for one in self.groups if one.pair is pair), None)
        if group is None:
            return
        kind, amount = op.random.choice((("stored", op.random.randint(1, 90)), ("points", 1)))
        body = {"person_id": group.person_id, "kind": kind, "amount": amount, "note": "差旅", "pin": member.pin}

        def accept(answer: Any) -> None:
            made = (member.id, group.person.id, kind, amount)
            if self.told.setdefault(answer["id"], made) != made or (answer["kind"], answer["amount"]) != (kind, amount):
                self.world.blame(f"allotment {answer['id']} of {made} was answered {answer}")
            elif answer["id"] not in self._moved:
                self._moved.add(answer["id"])
                self.world.model.move(member.id, **{kind: -amount})
                self.world.model.move(group.person.id, **{kind: amount})

        key = f"n{self.world.seed}-{op.number}"
        request = Request(member, "POST", OWN, encode(body), key, f"member/{member.id}")
        await self.world.ask(op, request, accept=accept, refusals=NOT_TO_BE_HAD | refusals)

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each is one that was told, both sides are in the books, and whom something was given has that."""
        stored = {row[0]: self._between(row[1:]) for row in books.facts["allotments"]}
        told = {id_: self._between(made) for id_, made in self.told.items()}
        for id_ in stored.keys() | told.keys():
            if stored.get(id_) != told.get(id_):
                yield f"allotment {id_} is stored as {stored.get(id_)}, acknowledged was {told.get(id_)}"
        for unit, amount in books.facts["between owners and their people"]:
            yield f"{amount} {unit} are between owners of groups and their people"
        for group in self.groups:
            yield from compare_sums(self.world, books, (group.person.id,))

    def _between(self, made: Sequence[Any]) -> tuple[int, int, str, int]:
        return self.world.person(made[0]), self.world.person(made[1]), made[2], made[3]
