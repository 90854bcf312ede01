"""Staff: freezing and thawing members, levels, offers, looking around; and what their role does not allow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ..journal import Request
from ..world import Clerk, Op, World, encode
from . import Domain, Operation
from .codes import CODE
from .pos import Pos

FREEZABLE = 20
"""One member in so many is ever frozen."""


class Staff(Domain):
    """What head office changes holds for the next sale; what a clerk may not is refused."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._ice = asyncio.Lock()  # whoever has frozen somebody sees that it holds before anybody thaws them

    @property
    def operations(self) -> Sequence[Operation]:
        """What the console does."""
        return (
            Operation("freeze", 0.5, self.freeze),
            Operation("level", 0.2, self.change_level),
            Operation("offer", 0.2, self.change_offer),
            Operation("member search", 0.5, self.search),
            Operation("beyond the role", 0.5, self.overstep),
        )

    def _clerk(self, role: str) -> Clerk:
        return next(clerk for clerk in self.world.staff if clerk.role == role)

    async def freeze(self, op: Op) -> None:
        """Shut a member out, or let them in again; both are refused where it is so already."""
        async with self._ice:
            await self._freeze(op)

    async def _freeze(self, op: Op) -> None:
        number = op.random.randrange(-(-len(self.world.members) // FREEZABLE)) * FREEZABLE
        what = op.random.choice(("freeze", "unfreeze", "unfreeze"))
        member = self.world.members[number]
        request = Request(self._clerk("admin"), "POST", f"/v1/admin/members/{member.id}/{what}")
        answer = await self.world.ask(op, request, refusals=frozenset({"status_conflict"}))
        if answer.good and what == "freeze" and member.phones:
            bought = self.world.domain(Pos).buy_with(op, member, op.random.choice(member.phones), suffix="frozen")
            await self.world.ask_in_vain(op, bought, refusals=CODE | {"insufficient_balance"})

    async def change_level(self, op: Op) -> None:
        """Another discount for everybody; sales of before keep theirs."""
        discount = op.random.choice((100, 200, 250))
        self.world.level_discounts.add(discount)
        body = {"name": "普通会员", "growth_from_fen": 0, "discount_bp": discount}
        await self.world.ask(op, Request(self._clerk("admin"), "PUT", "/v1/admin/levels/basic", encode(body)))

    async def change_offer(self, op: Op) -> None:
        """An offer is renewed; what was begun keeps what it agreed."""
        admin = self._clerk("admin")
        found: list[dict[str, Any]] = []
        request = Request(admin, "GET", "/v1/admin/recharge-offers")
        await self.world.ask(op, request, accept=lambda shown: found.extend(shown["items"]))
        if not found:
            return
        offer = op.random.choice(found)
        body = {name: offer[name] for name in ("pay_fen", "bonus_fen", "points", "first_only", "sort")}
        if offer["bonus_fen"] and op.random.random() < 0.7:
            body["bonus_valid_days"] = op.random.choice((1, 30))
        await self.world.ask(op, Request(admin, "PUT", f"/v1/admin/recharge-offers/{offer['id']}", encode(body)))

    async def search(self, op: Op) -> None:
        """Find a member by number; it is that one."""
        member = self.world.pick(op.random)

        def accept(shown: Any) -> None:
            if [item["id"] for item in shown["items"]] != [str(member.id)]:
                self.world.blame(f"a search for member {member.id} found {len(shown['items'])} others")

        admin = self._clerk("admin")
        if op.random.random() < 0.5:
            request = Request(admin, "GET", f"/v1/admin/members?query={member.member_no}")
        else:
            request = Request(admin, "POST", "/v1/admin/members/search", encode({"query": member.member_no}))
        await self.world.ask(op, request, accept=accept)

    async def overstep(self, op: Op) -> None:
        """A clerk freezes a member, a member acts as staff, a manager looks at another store's member."""
        member = self.world.pick(op.random)
        manager = self._clerk("manager")
        elsewhere = next(m for m in self.world.members if m.home != manager.store_id)
        who, method, path, code = op.random.choice(
            (
                (self._clerk("clerk"), "POST", f"/v1/admin/members/{member.id}/freeze", "forbidden"),
                (manager, "GET", f"/v1/admin/members/{elsewhere.id}", "not_found"),
                (manager, "GET", "/v1/admin/recharge-offers", "forbidden"),
                (None, "GET", f"/v1/admin/members/{member.id}", "unauthenticated"),
            )
        )
        await self.world.ask_in_vain(op, Request(who, method, path), refusals=frozenset({code}))
