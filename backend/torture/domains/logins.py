"""Log-ins and two people: a closed login's session is over at once; nobody decides what they asked for, and once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ..journal import Request
from ..world import Clerk, Op, Shown, encode
from . import Domain, Operation
from .staff import FREEZABLE

PASSWORD = "green horses run 7"  # noqa: S105 - of log-ins that live for a moment
STAFF = "/v1/admin/staff"
OVER = frozenset({"approval_decided"})
OWN = frozenset({"approval_own", "approval_decided"})


class Logins(Domain):
    """What the staff's own calls promise: sessions that end, approvals by another person, once."""

    @property
    def operations(self) -> Sequence[Operation]:
        """What managers and head office do."""
        return (Operation("close a login", 0.2, self.close), Operation("two people", 0.4, self.decide))

    async def close(self, op: Op) -> None:
        """Hire somebody, let them in, close their login: the token that was good is not."""
        admin = self.world.admin
        name = f"t{self.world.seed}-{op.number}-{op.random.randrange(10**6)}"
        body = {"username": name, "password": PASSWORD, "role": "clerk", "store_id": self.world.stores[0]}
        # a lost answer: they are there, and their id is in the list
        await self.world.ask(op, Request(admin, "POST", STAFF, encode(body)), refusals=frozenset({"already_exists"}))
        people: list[dict[str, Any]] = []
        await self.world.ask(op, Request(admin, "GET", STAFF), accept=lambda shown: people.extend(shown["items"]))
        found = [one["id"] for one in people if one["username"] == name]
        if not found:
            return
        clerk = Clerk(name, PASSWORD, "clerk", self.world.stores[0])
        answer = await self.world.ask(
            op, Request(clerk, "GET", "/v1/admin/me"), refusals=frozenset({"unauthenticated"})
        )
        await self.world.ask(op, Request(admin, "POST", f"{STAFF}/{found[0]}/close"))
        if answer.good and clerk.access:
            seen = Request(Shown(clerk.access), "GET", "/v1/admin/me")
            await self.world.ask_in_vain(op, seen, refusals=frozenset({"unauthenticated"}))

    async def decide(self, op: Op) -> None:
        """A manager asks for points; they themselves try to decide, head office rejects twice, and nothing moves."""
        manager = next(one for one in self.world.staff if one.role == "manager")
        own = [one for one in self.world.members if one.home == manager.store_id and one.number % FREEZABLE]
        member, points = op.random.choice(own), op.random.randrange(1, 50)
        body = {"points": points, "reason": "goodwill", "text": "回馈"}
        key = f"adjust-{self.world.seed}-{op.number}"
        request = Request(
            manager, "POST", f"/v1/admin/members/{member.id}/points-adjustments", encode(body), key=key, booked=False
        )
        asked = await self.world.ask(op, request)
        if not asked.good:
            return
        address = f"/v1/admin/approvals/{asked.json['approval_id']}"
        admin, note = self.world.admin, encode({"note": "x"})
        await asyncio.gather(
            self.world.ask_in_vain(op, Request(manager, "POST", f"{address}/approve", note), refusals=OWN),
            self.world.ask_in_vain(op, Request(manager, "POST", f"{address}/reject", note), refusals=OWN),
            *(self.world.ask(op, Request(admin, "POST", f"{address}/reject", note), refusals=OVER) for _ in range(2)),
            self.world.ask(op, Request(manager, "POST", f"{address}/withdraw"), refusals=OVER),
        )
        await self.world.ask_in_vain(op, Request(admin, "POST", f"{address}/approve", note), refusals=OVER)
        await self.world.ask(op, Request(manager, "GET", address), accept=self._decided)

    def _decided(self, shown: dict[str, Any]) -> None:
        by_self = shown["decided_by"] == shown["asked_by"]
        if shown["state"] not in ("rejected", "withdrawn") or by_self != (shown["state"] == "withdrawn"):
            self.world.blame(f"approval {shown['id']} is {shown['state']} by {shown['decided_by']}")
