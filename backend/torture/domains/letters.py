"""Letters: batches to members, what members agree to, and WeChat's subscribe messages; each once, none unasked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..journal import Request
from ..world import ALWAYS, Op, World, encode
from . import Domain, Operation
from .staff import FREEZABLE

if TYPE_CHECKING:
    from ..oracle import Books

TEMPLATES = "/v1/admin/message-templates"
BATCHES = "/v1/admin/messages/batches"
OWN = "/v1/member/messages"
INBOX = "/v1/member/inbox"
ASKING, TELLING = "torture.asking", "torture.telling"
AT_WECHAT = "TORTURE-TPL"
CHANNELS = ("inbox", "sms", "wechat")
MOST_MEANT = 12
NOT_NOW = frozenset({"message_batch_conflict", "not_found"})
SLACK = timedelta(seconds=30)
"""A word and a letter so near to each other may have passed each other."""

WENT = frozenset({"sent", "delivered", "opened", "clicked"})


class Delivery(NamedTuple):
    """What is stored of a letter on a channel."""

    member_id: int
    letter_id: str
    batch_id: str | None
    channel: str
    purpose: str
    state: str
    reason: str | None
    sent_at: datetime | None


class Said(NamedTuple):
    """A word of a member about letters."""

    member_id: int
    channel: str
    purpose: str
    granted: bool
    at: datetime


class Count(NamedTuple):
    """What a member accepted of a template at WeChat, what of it is left and what was used."""

    member_id: int
    template_id: str
    available: int
    accepted: int
    used: int


FACTS = {
    "letters": "SELECT member_id, batch_id, count(*) FROM message_letter WHERE batch_id IS NOT NULL GROUP BY 1, 2",
    "letters sent": "SELECT member_id, letter_id, batch_id, channel, purpose, state, reason, sent_at"
    " FROM message_delivery WHERE batch_id IS NOT NULL",
    "letters agreed": "SELECT member_id, channel, purpose, granted, at FROM message_consent_change ORDER BY at, id",
    "letters agreed now": "SELECT member_id, channel, purpose, granted FROM message_consent",
    "letters accepted": "SELECT member_id, template_id, available, accepted, used FROM message_subscription",
    "letters of batches": "SELECT id, state FROM message_batch",
    "letters of recharges": """
SELECT d.id, (SELECT count(*) FROM message_letter l WHERE l.once = d.id AND (l.member_id = d.member_id OR
               l.member_id = (SELECT target_id FROM merging_merge WHERE source_id = d.member_id))
               AND l.template IN ('wallet.recharged', 'wallet.recharged_bonus'))
  FROM ledger_document d WHERE d.kind = 'recharge' AND d.state = 'paid'""",
}


class Letters(Domain):
    """A member has one letter of a batch at most, none unasked for, and no subscription is overdrawn."""

    order: ClassVar[int] = 61
    jobs: ClassVar = ("messages.deliver",)
    facts: ClassVar = FACTS
    psp_facts: ClassVar = {
        "letters at WeChat": "SELECT openid, body->'data'->'thing1'->>'value', count(*) FROM sent_message"
        " WHERE kind = 'subscribe' AND body->>'template_id' = 'TORTURE-TPL' GROUP BY 1, 2",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.meant: dict[str, frozenset[int]] = {}
        self.cancelled: set[str] = set()
        self.words: dict[tuple[int, str], bool] = {}
        self.accepted: Counter[int] = Counter()
        self.asked: Counter[int] = Counter()

    @property
    def operations(self) -> Sequence[Operation]:
        """What head office and members do."""
        return (
            Operation("letters to many", 0.7, self.send),
            Operation("letters stopped", 0.4, self.stop),
            Operation("letters wanted", 2, self.say),
            Operation("letters accepted", 1.5, self.accept),
            Operation("letters read", 2, self.read),
        )

    async def prepare(self) -> None:
        """Two templates: one that needs consent, and one that goes by WeChat."""
        op = Op(-1, "letters", Random(f"{self.world.seed}:letters"))
        wechat = {"template_id": AT_WECHAT, "fields": {"thing1": "{what}"}}
        for code, purpose, channels, texts in (
            (ASKING, "marketing", ["inbox", "sms"], {}),
            (TELLING, "service", ["inbox", "wechat"], {"wechat": wechat}),
        ):
            body = {"code": code, "purpose": purpose, "title": "消息", "body": "{what}", "channels": channels,
                    "texts": texts, "variables": [{"name": "what"}]}  # fmt: skip
            request = Request(self.world.admin, "POST", TEMPLATES, encode(body))
            await self.world.ask(op, request, refusals=frozenset({"message_template_conflict"}))

    # -- head office

    async def send(self, op: Op) -> None:
        """Ask for a batch and start it, each sometimes twice."""
        meant = op.random.sample(self.world.members, min(len(self.world.members), op.random.randint(1, MOST_MEANT)))
        key = f"batch-{op.number}"
        made: list[str] = []
        body = {
            "title": key,
            "template": op.random.choice((ASKING, TELLING)),
            "values": {"what": key},
            "audience": {"member_nos": sorted(member.member_no for member in meant)},
        }

        def accept(batch: Any) -> None:
            made.append(batch["id"])
            self.meant[batch["id"]] = frozenset(member.id for member in meant)

        request = Request(self.world.admin, "POST", BATCHES, encode(body), key=key, booked=False)
        await self.world.ask(op, request, accept=accept)
        if not made:
            return
        if op.random.random() < 0.3:
            again = await self.world.send_until_decided(op, request)
            if again.good and again.json["id"] != made[0]:
                self.world.blame(f"the batch {key} was made twice")
        for _ in range(op.random.randint(1, 2)):
            started = Request(self.world.admin, "POST", f"{BATCHES}/{made[0]}/start")
            await self.world.ask(op, started, refusals=NOT_NOW)

    async def stop(self, op: Op) -> None:
        """Pause, go on with or cancel a batch."""
        if not self.meant:
            return
        batch_id, move = op.random.choice(sorted(self.meant)), op.random.choice(("pause", "resume", "resume", "cancel"))

        def accept(batch: Any) -> None:
            if move == "cancel":
                self.cancelled.add(batch_id)

        request = Request(self.world.admin, "POST", f"{BATCHES}/{batch_id}/{move}")
        await self.world.ask(op, request, accept=accept, refusals=NOT_NOW)

    # -- members

    async def say(self, op: Op) -> None:
        """Want letters of marketing on a channel, or want them no more; the last word counts."""
        member, channel = self.world.pick(op.random), op.random.choice(CHANNELS)
        granted = op.random.random() < 0.6
        body = {"items": [{"channel": channel, "purpose": "marketing", "granted": granted}]}

        def accept(shown: Any) -> None:
            self.words[member.id, channel] = granted

        async with member.changing:
            await self.world.ask(op, Request(member, "PUT", f"{OWN}/consents", encode(body)), accept=accept)

    async def accept(self, op: Op) -> None:
        """Accept one subscribe message at WeChat, and tell the chain of it, sometimes twice with one key."""
        member = self.world.pick(op.random)
        openid = f"openid-{member.who}"
        answer = await self.world.plain(
            "POST", "/mock/wechat/subscriptions", {"openid": openid, "template_ids": [AT_WECHAT]}
        )
        if not answer.good:
            return
        told: list[Any] = []
        self.asked[member.id] += 1
        body = encode({"results": {AT_WECHAT: "accept"}})
        request = Request(member, "POST", f"{OWN}/subscriptions", body, key=f"sub-{op.number}", booked=False)
        for _ in range(op.random.randint(1, 2)):
            await self._accept(op, request, told)
        if told:
            self.accepted[member.id] += 1

    async def _accept(self, op: Op, request: Request, told: list[Any]) -> None:
        # Its answer counts what is left, so it differs each time.
        entry = await self.world.send_until_decided(op, request)
        if entry.good:
            told.append(entry.json)
        elif entry.code not in ALWAYS and entry.status not in (429, 503):
            self.world.blame(f"{op.kind}: was answered {entry.status} {entry.code}")

    async def read(self, op: Op) -> None:
        """Look into the inbox and read a letter of it; it has been read then."""
        member = self.world.pick(op.random)
        found: list[Any] = []
        request = Request(member, "GET", f"{INBOX}?limit=20")
        await self.world.ask(op, request, accept=lambda page: found.extend(page["items"]))
        if len({letter["id"] for letter in found}) < len(found):
            self.world.blame(f"member {member.id} was shown a letter twice")
        if found:
            letter_id = op.random.choice(found)["id"]
            await self.world.ask(op, Request(member, "POST", f"{INBOX}/{letter_id}/read"), accept=_was_read(self.world))

    # -- what must hold

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """Each member has one letter of a batch, none unasked for, and WeChat had no more than was accepted."""
        sent = [Delivery(*row) for row in books.facts["letters sent"]]
        yield from self._once(books, final=final)
        yield from self._agreed(books, sent)
        yield from self._accepted(books)
        yield from self._at_wechat(books, sent)
        if final:
            yield from (f"{one} is under way without end" for one in sent if one.state == "sending")
            yield from _of_recharges(books)

    def _once(self, books: Books, *, final: bool) -> Iterator[str]:
        counts: dict[str, Counter[int]] = defaultdict(Counter)
        for member_id, batch_id, count in books.facts["letters"]:
            counts[batch_id][member_id] += count
        states = {str(row[0]): row[1] for row in books.facts["letters of batches"]}
        for batch_id, meant in self.meant.items():
            had = counts[batch_id]
            if twice := [member_id for member_id, count in had.items() if count > 1]:
                yield f"the batch {batch_id} wrote twice to {twice}"
            if strangers := sorted(had.keys() - meant):
                yield f"the batch {batch_id} wrote to {strangers}, who are not meant"
            if states.get(batch_id) == "done" and (missing := sorted(self._active(meant) - had.keys())):
                yield f"the batch {batch_id} is done and left out {missing}"
            if batch_id in self.cancelled and states.get(batch_id) != "cancelled":
                yield f"the batch {batch_id} was cancelled and is {states.get(batch_id)}"
            if final and states.get(batch_id) is None:
                yield f"the batch {batch_id} was acknowledged and is not stored"

    def _active(self, meant: frozenset[int]) -> set[int]:
        """Those who were active all the time: staff freeze some members now and then."""
        return {member.id for member in self.world.members if member.number % FREEZABLE} & meant

    def _agreed(self, books: Books, sent: Sequence[Delivery]) -> Iterator[str]:
        words: dict[tuple[int, str, str], list[Said]] = defaultdict(list)
        for row in books.facts["letters agreed"]:
            said = Said(*row)
            words[said.member_id, said.channel, said.purpose].append(said)
        for one in sent:
            if one.purpose == "service" or one.state not in WENT or one.sent_at is None:
                continue
            heard = words[one.member_id, one.channel, one.purpose]
            before = [said.granted for said in heard if said.at < one.sent_at - SLACK][-1:]
            near = [said.granted for said in heard if abs(said.at - one.sent_at) <= SLACK]
            if not any(before + near):
                yield f"{one} went without consent"
        now = {(row[0], row[1]): row[3] for row in books.facts["letters agreed now"] if row[2] == "marketing"}
        for (member_id, channel), granted in self.words.items():
            if now.get((member_id, channel)) is not granted:
                yield f"member {member_id} said {granted} of {channel}, and stored is {now.get((member_id, channel))}"

    def _accepted(self, books: Books) -> Iterator[str]:
        found = {one.member_id: one for one in (Count(*row) for row in books.facts["letters accepted"])}
        for member_id, count in self.accepted.items():
            stored = found.get(member_id)
            if stored is None or not count <= stored.accepted <= self.asked[member_id]:
                yield f"member {member_id} accepted {count} messages, and stored is {stored}"
        for one in found.values():
            if one.available < 0 or one.used < 0 or one.used + one.available > one.accepted:
                yield f"{one} is overdrawn"

    def _at_wechat(self, books: Books, sent: Sequence[Delivery]) -> Iterator[str]:
        """A letter is at WeChat once at most, and no member had more of them than were accepted."""
        by_openid = {f"openid-{member.who}": member.id for member in self.world.members}
        had: Counter[int] = Counter()
        for openid, what, count in books.facts["letters at WeChat"]:
            if count > 1:
                yield f"{what} is at WeChat {count} times for {openid}"
            had[by_openid.get(openid, 0)] += count
        for member_id, count in had.items():
            if count > self.asked[member_id]:
                yield f"member {member_id} had {count} messages through WeChat and accepted {self.asked[member_id]}"
        told = Counter(one.member_id for one in sent if one.channel == "wechat" and one.state in WENT)
        for member_id, count in told.items():
            if count > had[member_id]:
                yield f"member {member_id} was sent {count} messages through WeChat, where {had[member_id]} are"


def _was_read(world: World) -> Any:
    def accept(letter: Any) -> None:
        if letter["read_at"] is None:
            world.blame(f"the letter {letter['id']} was read and is shown as unread")

    return accept


def _of_recharges(books: Books) -> Iterator[str]:
    for recharge_id, count in books.facts["letters of recharges"]:
        if count != 1:
            yield f"the recharge {recharge_id} was told {count} times"
