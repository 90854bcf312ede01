"""Suggestion boxes: tickets used twice at once, receipts followed and guessed, signed suggestions sent again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..blinding import Ticket
from ..journal import Request
from ..world import Op, Shown, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

UNNAMED, MINE = "/v1/anonymous/suggestions", "/v1/anonymous/suggestion"
MOST_KEPT = 50


class Suggestions(Domain):
    """A ticket brings one suggestion and one receipt, however often it is shown; of an unnamed one nobody is stored."""

    facts: ClassVar = {
        "suggestions": "SELECT s.id, s.member_id, s.at IS NULL, s.receipt IS NULL, m.text"
        " FROM suggestion s JOIN suggestion_message m ON m.suggestion_id = s.id AND m.seq = 1",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.box = ""
        self.tickets: list[str] = []
        self.receipts: dict[str, str] = {}
        self.asked: dict[str, int | None] = {}
        """What was written, and by whom: None where no name was given."""
        self.told: dict[str, str] = {}

    @property
    def operations(self) -> Sequence[Operation]:
        """What members and those without a name do."""
        return (
            Operation("ticket", 1.2, self.fetch),
            Operation("unnamed suggestion", 1.5, self.whisper),
            Operation("receipt", 1, self.follow),
            Operation("signed suggestion", 0.8, self.sign),
        )

    async def prepare(self) -> None:
        """Head office makes a box."""
        me = await self.world.send(Request(self.world.admin, "GET", "/v1/admin/me"))
        body = {"title": "torture", "administrators": [me.json["staff"]["id"]]}
        made = await self.world.send(Request(self.world.admin, "POST", "/v1/admin/suggestion-boxes", encode(body)))
        self.box = made.json["id"]

    async def fetch(self, op: Op) -> None:
        """A member has a ticket signed that the server cannot see."""
        keys: list[Any] = []
        await self.world.ask(op, Request(None, "GET", "/v1/anonymous/key"), accept=keys.append)
        if not keys:
            return
        ticket = Ticket(keys[0], op.random)

        def accept(answer: Any) -> None:
            shown = ticket.shown(answer["signatures"][0])
            if shown is None:
                self.world.blame("a ticket was signed wrongly")
            elif len(self.tickets) < MOST_KEPT:
                self.tickets.append(shown)

        body = {"key_id": keys[0]["key_id"], "blinded": [ticket.blinded]}
        request = Request(self.world.pick(op.random), "POST", "/v1/member/suggestion-tickets", encode(body))
        await self.world.ask(op, request, accept=accept, refusals=frozenset({"tickets_used_up", "ticket_key_over"}))

    async def whisper(self, op: Op) -> None:
        """Write without a name, at times twice at once; the ticket is good for nothing else afterwards."""
        if not self.tickets:
            return
        ticket = self.tickets.pop(op.random.randrange(len(self.tickets)))
        text = self._text(op, None)
        body = {"box_id": self.box, "text": text}
        request = Request(Shown(ticket), "POST", UNNAMED, encode(body))

        def accept(answer: Any) -> None:
            id_, receipt = answer["suggestion"]["id"], answer["receipt"]
            self._tell(id_, text)
            if self.receipts.setdefault(id_, receipt) != receipt:
                self.world.blame(f"suggestion {id_} has two receipts")

        times = 2 if op.random.random() < 0.3 else 1
        over = frozenset({"unauthenticated"})  # the clock has left its weeks behind
        answers = await asyncio.gather(
            *(self.world.ask(op, request, accept=accept, refusals=over) for _ in range(times))
        )
        if any(answer.good for answer in answers) and op.random.random() < 0.5:
            other = Request(Shown(ticket), "POST", UNNAMED, encode(body | {"text": f"{text} again"}))
            await self.world.ask_in_vain(op, other, refusals=over | {"ticket_spent"})

    def _text(self, op: Op, member_id: int | None) -> str:
        text = f"torture {self.world.seed} {op.number}"
        self.asked[text] = member_id
        return text

    def _tell(self, id_: str, text: str) -> None:
        if self.told.setdefault(id_, text) != text:
            self.world.blame(f"suggestion {id_} stands for {text} and for {self.told[id_]}")

    async def follow(self, op: Op) -> None:
        """Read by a receipt, or by one that is none."""
        if op.random.random() < 0.3 or not self.receipts:
            guess = "-".join("".join(op.random.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=4)) for _ in range(5))
            await self.world.ask_in_vain(
                op, Request(Shown(guess), "GET", MINE), refusals=frozenset({"unauthenticated"})
            )
            return
        id_ = op.random.choice(list(self.receipts))

        def accept(shown: Any) -> None:
            if (shown["id"], shown["messages"][0]["text"]) != (id_, self.told[id_]):
                self.world.blame(f"the receipt of suggestion {id_} leads to {shown['id']}")

        await self.world.ask(op, Request(Shown(self.receipts[id_]), "GET", MINE), accept=accept)

    async def sign(self, op: Op) -> None:
        """Write under one's name, at times twice at once with one key."""
        member = self.world.pick(op.random)
        text = self._text(op, member.id)
        path, key = f"/v1/member/suggestion-boxes/{self.box}/suggestions", f"g{self.world.seed}-{op.number}"
        request = Request(member, "POST", path, encode({"text": text}), key=key, scope=member.who, booked=False)
        times = 2 if op.random.random() < 0.3 else 1

        def accept(answer: Any) -> None:
            self._tell(answer["id"], text)

        await asyncio.gather(*(self.world.ask(op, request, accept=accept) for _ in range(times)))

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What was acknowledged is stored once, and nothing else; unnamed ones have nobody and no instant."""
        stored: dict[str, str] = {}
        times: Counter[str] = Counter()
        for id_, member_id, timeless, without_receipt, text in books.facts["suggestions"]:
            if text not in self.asked:
                yield f"suggestion {id_} is stored, and nobody wrote it"
                continue
            stored[id_], writer = text, self.asked[text]
            times[text] += 1
            if member_id != writer:
                yield f"suggestion {id_} was written by {writer}, stored is {member_id}"
            if (timeless, without_receipt) != ((True, False) if writer is None else (False, True)):
                yield f"suggestion {id_} has an instant or a receipt that it must not have"
        for text, count in times.items():
            if count > 1:
                yield f"{text} is stored {count} times"
        for id_, text in self.told.items():
            if stored.get(id_) != text:
                yield f"suggestion {id_} was acknowledged and is not stored"
