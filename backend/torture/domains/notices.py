"""Announcements: published to everybody or to a store, read by members again and again, taken back meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..journal import Request
from ..world import Member, Op, World, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

STAFF = "/v1/admin/announcements"
PHONE = "/v1/member/announcements"
MOST_LIVE = 12
"""So many stand at a time, or lists would grow with the run."""

GONE = frozenset({"not_found"})


class Notices(Domain):
    """A key is one announcement; a receipt that was acknowledged is stored, and only of those who were meant."""

    order: ClassVar[int] = 70
    facts: ClassVar = {
        "announcements": "SELECT id, title FROM notice_announcement",
        "receipts": "SELECT member_id, announcement_id FROM notice_receipt",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.titles: dict[str, str] = {}
        self.store: dict[str, str | None] = {}
        self.live: list[str] = []
        self.tried: set[tuple[int, str]] = set()
        self.told: set[tuple[int, str]] = set()

    @property
    def operations(self) -> Sequence[Operation]:
        """What head office and phones do."""
        return (
            Operation("announcement", 0.3, self.announce),
            Operation("announcement withdrawn", 0.15, self.withdraw),
            Operation("announcement read", 2, self.read),
            Operation("announcements", 0.7, self.look),
        )

    async def announce(self, op: Op) -> None:
        """Write one, twice at once with one key, and publish it."""
        if len(self.live) >= MOST_LIVE:
            return
        store = op.random.choice((None, None, *self.world.stores))
        title = f"公告{op.number}"
        audience = {"store_ids": [store]} if store else {}
        body = encode({"title": title, "body": "**好**消息", "audience": audience})
        made: set[str] = set()

        def accept(answer: Any) -> None:
            made.add(answer["id"])
            self.titles[answer["id"]] = title
            self.store[answer["id"]] = store

        request = Request(self.world.admin, "POST", STAFF, body, key=f"a-{self.world.seed}-{op.number}", booked=False)
        await asyncio.gather(*(self.world.ask(op, request, accept=accept) for _ in range(2)))
        if len(made) != 1:
            self.world.blame(f"{title} is {sorted(made)}")
        for id_ in made:
            shown = Request(self.world.admin, "POST", f"{STAFF}/{id_}/publish", encode({"revision": 1}))
            if (await self.world.ask(op, shown)).good:
                self.live.append(id_)

    async def withdraw(self, op: Op) -> None:
        """Take one back, while somebody may be reading it."""
        if self.live:
            id_ = self.live.pop(op.random.randrange(len(self.live)))
            await self.world.ask(op, Request(self.world.admin, "POST", f"{STAFF}/{id_}/withdraw"))

    async def read(self, op: Op) -> None:
        """Say a few times at once that one was read; who is not meant is told that there is none."""
        if not self.live:
            return
        member, id_ = self.world.pick(op.random), op.random.choice(self.live)
        meant = self._is_for(member, id_)
        if meant:
            self.tried.add((member.id, id_))

        def accept(_: Any) -> None:
            self.told.add((member.id, id_))
            if not meant:
                self.world.blame(f"member {member.id} of {member.home} read {id_}, which is for {self.store[id_]}")

        request = Request(member, "POST", f"{PHONE}/{id_}/read")
        await asyncio.gather(*(self.world.ask(op, request, accept=accept, refusals=GONE) for _ in range(3)))

    def _is_for(self, member: Member, id_: str) -> bool:
        return self.store[id_] in (None, member.home)

    async def look(self, op: Op) -> None:
        """The list, which has nothing of another store's."""
        member = self.world.pick(op.random)

        def accept(answer: Any) -> None:
            for item in answer["items"]:
                if item["id"] in self.store and not self._is_for(member, item["id"]):
                    self.world.blame(f"member {member.id} of {member.home} is shown {item['id']}")

        await self.world.ask(op, Request(member, "GET", f"{PHONE}?limit=50"), accept=accept)

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each title is one announcement; receipts are those that were asked for, and all that were acknowledged."""
        for title, count in Counter(title for _, title in books.facts["announcements"]).items():
            if count > 1:
                yield f"there are {count} announcements called {title}"
        stored = {(row[0], row[1]) for row in books.facts["receipts"]}
        for member_id, id_ in sorted(stored - self.tried):
            yield f"a receipt of member {member_id} for {id_} was never asked for"
        for member_id, id_ in sorted(self.told - stored):
            yield f"member {member_id} was told that {id_} is read, and there is no receipt"
        if final:
            for id_ in self.titles.keys() - {row[0] for row in books.facts["announcements"]}:
                yield f"the announcement {id_} was acknowledged and is not there"
