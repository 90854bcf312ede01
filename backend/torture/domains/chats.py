"""Customer service: customers write through WeChat, staff and robot answer; nothing is lost, doubled or overdrawn."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import Op, World, encode
from . import Domain, Operation

if TYPE_CHECKING:
    from ..oracle import Books

DESK = "/v1/admin/conversations"
CUSTOMERS = 6
WORDS = ("余额", "你好", "人工", "优惠券", "营业时间")
TRIES = 40
CLOSED = frozenset({"reply_window_closed", "reply_quota_spent", "conversation_not_yours", "conversation_taken"})
TOO_MANY = 45047
"""WeChat's word for a message that should have been counted before it was sent."""


class Said(NamedTuple):
    """What is stored of one message."""

    conversation_id: int
    seq: int
    author: str
    kind: str
    stage: str
    once: str | None
    text: str


class Chats(Domain):
    """A message that WeChat was told is taken is stored once; an answer that was acknowledged is there, sent once."""

    order: ClassVar[int] = 60
    jobs: ClassVar = ("conversations.give_up_stuck",)
    facts: ClassVar = {
        "chat messages": "SELECT conversation_id, seq, author, kind, stage, once, text FROM conversation_message",
        "chats": "SELECT id, last_seq FROM conversation",
    }
    psp_facts: ClassVar = {
        "chat refusals": "SELECT openid, errcode FROM send_refusal",
        "chat texts": "SELECT body->'text'->>'content' FROM sent_message WHERE kind = 'custom'"
        " AND body->>'msgtype' = 'text'",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.asked: set[str] = set()
        self.taken: set[str] = set()
        self.answers: dict[tuple[int, int], str] = {}
        self.openids = [f"openid-c{world.seed}-{number}" for number in range(CUSTOMERS)]

    @property
    def operations(self) -> Sequence[Operation]:
        """What customers and head office do."""
        return (
            Operation("customer writes", 2, self.write),
            Operation("customer enters", 0.5, self.enter),
            Operation("desk answers", 2, self.answer),
            Operation("desk moves", 0.7, self.move),
        )

    def key_of(self, message_id: int) -> str:
        """What a message is stored under: WeChat tells them apart by their numbers."""
        text = "\n".join((self.world.wechat["app_id"], "id", str(message_id)))
        return hashlib.sha256(text.encode()).hexdigest()

    # -- customers

    async def write(self, op: Op) -> None:
        """A customer writes; the platform sends it again until it is taken, sometimes twice at once."""
        openid = op.random.choice(self.openids)
        number = 10**9 + op.number
        body: dict[str, Any] = {
            "text": op.random.choice(WORDS),
            "msg_id": number,
            "mode": op.random.choice(("plain", "safe")),
            "format": op.random.choice(("xml", "json")),
        }
        self.asked.add(self.key_of(number))
        times = 2 if op.random.random() < 0.3 else 1
        await asyncio.gather(*(self._write(openid, body) for _ in range(times)))

    async def _write(self, openid: str, body: dict[str, Any]) -> None:
        for _ in range(TRIES):
            answer = await self.world.plain("POST", f"/mock/wechat/customers/{openid}/messages", body)
            if answer.good and answer.json["status"] == 200:
                self.taken.add(self.key_of(body["msg_id"]))
                return
            await asyncio.sleep(0.2)
        self.world.blame(f"the message {body['msg_id']} was not taken in {TRIES} tries")

    async def enter(self, op: Op) -> None:
        """A customer opens the chat; whether that is heard of is nobody's promise."""
        await self.world.plain("POST", f"/mock/wechat/customers/{op.random.choice(self.openids)}/enter", {})

    # -- head office

    async def _pick(self, op: Op) -> str | None:
        """Some conversation of those customers, which a list shows."""
        found: list[str] = []
        view = op.random.choice(("waiting", "robot", "open", "closed"))
        request = Request(self.world.admin, "GET", f"{DESK}?view={view}&limit=20")
        await self.world.ask(op, request, accept=lambda answer: found.extend(item["id"] for item in answer["items"]))
        return op.random.choice(found) if found else None

    async def answer(self, op: Op) -> None:
        """Claim a conversation and answer a few times at once: as many go out as WeChat takes."""
        conversation_id = await self._pick(op)
        if conversation_id is None:
            return
        path = f"{DESK}/{conversation_id}"
        await self.world.ask(op, Request(self.world.admin, "POST", f"{path}/claim"), refusals=CLOSED)
        count = op.random.randint(1, 4)
        await asyncio.gather(*(self._answer(op, int(conversation_id), f"answer-{op.number}.{n}") for n in range(count)))

    async def _answer(self, op: Op, conversation_id: int, text: str) -> None:
        def accept(answer: Any) -> None:
            self.answers[conversation_id, answer["message"]["id"]] = text

        request = Request(
            self.world.admin,
            "POST",
            f"{DESK}/{conversation_id}/messages",
            encode({"text": text}),
            key=text,
            booked=False,
        )
        await self.world.ask(op, request, accept=accept, refusals=CLOSED)

    async def move(self, op: Op) -> None:
        """Close a conversation, put it back into the queue, or give it to WeChat's own service."""
        conversation_id = await self._pick(op)
        if conversation_id is None:
            return
        what = op.random.choice(("close", "transfer", "wechat"))
        body = encode({}) if what == "transfer" else b""
        request = Request(self.world.admin, "POST", f"{DESK}/{conversation_id}/{what}", body)
        await self.world.ask(op, request, refusals=CLOSED)

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What was taken and acknowledged is stored, what is stored was asked for, and WeChat never refused a count."""
        messages = [Said(*row) for row in books.facts["chat messages"]]
        stored = {said.once for said in messages if said.author == "customer" and said.kind != "entered"}
        for key in sorted(self.taken - stored):
            yield f"a customer's message {key[:12]} was taken and is not stored"
        known = self.asked | {self.key_of(number) for domain in self.world.domains for number in _numbers(domain)}
        for key in sorted(str(key) for key in stored - known):
            yield f"a message {key[:12]} is stored that nobody wrote"
        yield from self._gapless(books, messages)
        yield from self._answered(books, messages, final=final)
        for openid, errcode in books.facts["chat refusals"]:
            if errcode == TOO_MANY and openid in self.openids:
                yield f"{openid} was sent more than WeChat takes"

    def _gapless(self, books: Books, messages: Sequence[Said]) -> Iterator[str]:
        """What was said has numbers without gaps."""
        numbers: dict[int, list[int]] = defaultdict(list)
        for said in messages:
            numbers[said.conversation_id].append(said.seq)
        for conversation_id, last in books.facts["chats"]:
            if sorted(numbers[conversation_id]) != list(range(1, last + 1)):
                yield f"conversation {conversation_id} has not the messages 1 to {last}"

    def _answered(self, books: Books, messages: Sequence[Said], *, final: bool) -> Iterator[str]:
        """An answer is stored as it was acknowledged; at WeChat it is once where it was sent, and never twice."""
        by_number = {(said.conversation_id, said.seq): said for said in messages}
        arrived = Counter(row[0] for row in books.facts["chat texts"])
        for number, text in self.answers.items():
            found = by_number.get(number)
            if found is None or found.text != text or found.author != "staff":
                yield f"the answer {text!r} was acknowledged, and stored is {found}"
        for said in messages:
            if said.author != "staff" or said.kind != "text":
                continue
            count = arrived[said.text]
            if count > 1 or (said.stage == "sent" and count != 1) or (said.stage == "refused" and count):
                yield f"{said} is at WeChat {count} times"
            if final and said.stage == "sending":
                yield f"{said} is still under way"


def _numbers(domain: Any) -> Sequence[int]:
    """The numbers of messages that another domain pushes."""
    found: Sequence[int] = getattr(domain, "message_ids", ())
    return found
