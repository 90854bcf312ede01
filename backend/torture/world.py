"""Who takes part and how they ask: tills, phones, staff, WeChat; each request repeated until it is decided."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import msgspec

from . import signing
from .journal import Accept, Entry, Journal, Request
from .wire import Answer, Client, NoAnswer, unlike

PATIENCE_S = 90.0
"""How long a client goes on asking; a system that has not decided by then has failed."""

ALWAYS = frozenset({"rate_limited", "member_frozen", "member_inactive", "stale"})
"""Refusals that anybody may meet: a frozen member, too much going on at once."""

SIMULATOR = "/mock/"
BUSY_MEMBERS, BUSY_SHARE = 3, 0.12
_TIMES_REFUSED_TOKEN = 4


D = TypeVar("D")


@dataclass
class Till:
    """A terminal of a store."""

    id: str
    secret: str
    store_id: str


@dataclass
class Phone:
    """A device enrolled for codes; ``last_step`` is the last one shown to a till."""

    id: str
    handle: str
    secret: bytes
    last_step: int = 0


@dataclass
class Member:
    """A member with the session of one phone. ``busy`` is held while the session changes, ``changing`` for the name."""

    number: int
    who: str
    number_called: str
    home: str
    id: int = 0
    member_no: str = ""
    access: str = ""
    refresh: str = ""
    token_until: float = 0.0
    pin: str = ""
    phones: list[Phone] = field(default_factory=list)
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class Clerk:
    """Somebody with a staff login."""

    username: str
    password: str
    role: str
    store_id: str | None
    access: str = ""
    token_until: float = 0.0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Shown:
    """Somebody of whom nothing is known but what they show: a ticket, a receipt."""

    text: str


@dataclass(frozen=True)
class Op:
    """One operation: its number, its kind, and the dice that decide everything about it."""

    number: int
    kind: str
    random: Random


class GaveUp(Exception):
    """No definite answer within the time a client has."""


class Model:
    """What each member must have, from the acknowledged answers alone, by the names of the domains' ``sums``.

    Any other name raises ``KeyError``: nothing would ever be compared with it.
    """

    def __init__(self, sums: Iterable[str] = ()) -> None:
        self._sums = frozenset(sums)
        self._held: Counter[tuple[int, str]] = Counter()

    def move(self, member_id: int, **amounts: int) -> None:
        """Something was acknowledged that gives (or takes) so much: ``stored=-250, points=2``."""
        for name in amounts:
            self._check(name)
        for name, amount in amounts.items():
            self._held[member_id, name] += amount

    def held(self, member_id: int, name: str) -> int:
        """What a member must have of something."""
        self._check(name)
        return self._held[member_id, name]

    def _check(self, name: str) -> None:
        if name not in self._sums:
            raise KeyError(f"no domain has the sum {name!r}; there are {', '.join(sorted(self._sums))}")


class World:
    """Everybody who asks, what they were told, and what is wrong so far.

    Args:
        now: unix seconds by the moved clock that all processes share.

    ``apart`` are members of one domain alone, whom nobody else picks. ``merged`` says into whom somebody was merged, as
    the oracle last read it.
    """

    def __init__(
        self,
        seed: int,
        client: Client,
        now: Callable[[], float],
        *,
        tills: Sequence[Till],
        staff: Sequence[Clerk],
        wechat: dict[str, str],
        members: int,
        phones: int,
    ) -> None:
        self.seed = seed
        self.client = client
        self.now = now
        self.tills = list(tills)
        self.staff = list(staff)
        self.wechat = wechat
        self.stores = sorted({till.store_id for till in tills})
        self.members = [self._member(number) for number in range(members)]
        self.apart: list[Member] = []
        self.merged: dict[int, int] = {}
        self.phones_each = phones
        self.journal = Journal()
        self.model = Model()
        self.wrong: list[str] = []
        self.level_discounts: set[int] = {0, 200, 300, 500, 800}
        self.domains: list[Any] = []
        self._nonces = 0

    @property
    def admin(self) -> Clerk:
        """Who may do everything at the chain."""
        return next(clerk for clerk in self.staff if clerk.role == "admin")

    def domain(self, kind: type[D]) -> D:
        """The part of the workload of that kind."""
        found: D = next(domain for domain in self.domains if isinstance(domain, kind))
        return found

    def _member(self, number: int) -> Member:
        who = f"t{self.seed}-{number}"
        return Member(number, who, f"138{number:08d}", self.stores[number % len(self.stores)])

    def everybody(self) -> Iterator[Member]:
        """All members, also those whom only one domain picks."""
        yield from self.members
        yield from self.apart

    def person(self, member_id: int) -> int:
        """The number under which somebody goes on: their own, or that of whom they were merged into."""
        while member_id in self.merged:
            member_id = self.merged[member_id]
        return member_id

    def blame(self, what: str) -> None:
        """Something that must not be; the run ends at its next check."""
        self.wrong.append(what)

    def step(self) -> int:
        """The step that phones show now."""
        return int(self.now()) // signing.STEP_S

    def unique(self) -> str:
        """Text that nobody has used: for nonces, which even a repeated request must have fresh."""
        self._nonces += 1
        return f"{self.seed:x}-{self._nonces:010x}"

    # -- asking

    async def ask(
        self,
        op: Op,
        request: Request,
        *,
        accept: Accept | None = None,
        refusals: frozenset[str] = frozenset(),
        over: frozenset[str] = frozenset(),
    ) -> Answer:
        """Ask until it is decided; ``accept`` hears of a success, other refusals than these (or ``over``) are wrong."""
        entry = Entry(op.kind, request, accept, over)
        answer = await self._decide(entry)
        if answer.good:
            self._accept(entry, answer)
        elif answer.code not in refusals | over | ALWAYS:
            self.blame(f"{op.kind}: {request.method} {request.path} was answered {answer.status} {answer.code}")
        return answer

    async def ask_in_vain(self, op: Op, request: Request, *, refusals: frozenset[str]) -> Answer:
        """Ask for what must be refused."""
        entry = Entry(op.kind, request)
        answer = await self._decide(entry)
        if answer.good or answer.code not in refusals | ALWAYS:
            self.blame(f"{op.kind}: {request.path} must be refused, but was answered {answer.status} {answer.code}")
        return answer

    async def send_until_decided(self, op: Op, request: Request) -> Answer:
        """Ask with a key that has its answer already: only counted, not noted."""
        entry = Entry(op.kind, request)
        answer = await self._decide(entry, note=False)
        self.journal.count(entry, answer)
        return answer

    async def ask_again(self, op: Op, entry: Entry) -> Answer:
        """Repeat what was acknowledged: the first answer must come again."""
        answer, first = await self.send_until_decided(op, entry.request), entry.answer
        if not answer.good and answer.code in ALWAYS:
            return answer
        if (told := unlike(first, answer)) or answer.headers.get("idempotency-replayed") != "true":
            request = f"{entry.request.path} with key {entry.request.key}"
            self.blame(f"{op.kind}: {request} was answered otherwise again: {told or 'not as replayed'}")
        return answer

    async def settle_doubt(self, entry: Entry) -> None:
        """What was refused after a lost answer is there after all: asked again, it must be acknowledged."""
        answer = await self._decide(entry)
        if answer.good:
            self._accept(entry, answer)
        elif answer.code not in entry.over:
            self.blame(f"{entry.kind}: key {entry.request.key} is stored, but was answered {answer.code}")

    def _accept(self, entry: Entry, answer: Answer) -> None:
        if entry.accept is not None:
            entry.accept(answer.json)

    async def _decide(self, entry: Entry, *, note: bool = True) -> Answer:
        answer = await self._until_decided(entry)
        if note:
            first = self.journal.accepted.get((entry.request.scope, entry.request.key)) if entry.request.key else None
            if first is not None and first.answer is not None and answer.good and first.answer.json != answer.json:
                told = unlike(first.answer, answer)
                self.blame(f"{entry.kind}: key {entry.request.key} has two answers: {told}")
            self.journal.note(entry, answer)
        return answer

    async def _until_decided(self, entry: Entry) -> Answer:
        deadline, pause, refused, request = time.monotonic() + PATIENCE_S, 0.03, 0, entry.request
        while True:
            try:
                answer = await self.send(request)
                if answer.status == 401 and refused < _TIMES_REFUSED_TOKEN:
                    refused += 1  # signed before the clock moved, or the session has ended
                    await self._renew(request.who)
                    continue
                if answer.status != 503 and not (answer.status >= 500 and request.path.startswith(SIMULATOR)):
                    return answer
            except NoAnswer:
                pass
            entry.lost += 1
            if time.monotonic() > deadline:
                self.blame(f"{entry.kind}: {request.path} was not decided within {PATIENCE_S:.0f} s")
                raise GaveUp
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def send(self, request: Request) -> Answer:
        """Once, as whoever it is from signs it now."""
        headers = {"idempotency-key": request.key} if request.key else {}
        if request.media_type:
            headers["content-type"] = request.media_type
        who = request.who
        if isinstance(who, Till):
            headers["authorization"] = signing.till_authorization(
                who.id, who.secret, request.method, request.path, request.body,
                key=request.key, at=self.now(), nonce=self.unique(),
            )  # fmt: skip
        elif isinstance(who, (Member, Clerk)):
            if who.token_until < self.now():
                await self._renew(who)
            headers["authorization"] = f"Bearer {who.access}"
        elif isinstance(who, Shown):
            headers["authorization"] = f"Bearer {who.text}"
        return await self.client.send(request.method, request.path, headers, request.body)

    # -- sessions

    async def _renew(self, who: Any) -> None:
        if isinstance(who, Member):
            await self.renew_member(who, who.access)
        elif isinstance(who, Clerk):
            await self._renew_clerk(who, who.access)

    async def renew_member(self, member: Member, seen: str) -> None:
        """A new token, unless somebody was quicker: by the refresh token, or where that does not hold by logging in."""
        async with member.busy:
            if member.access != seen:
                return
            if member.refresh:
                token, member.refresh = member.refresh, ""  # whether it was used is unknown once it was sent
                answer = await self.plain("POST", "/v1/member/token", {"refresh_token": token})
                if answer.good:
                    self._keep(member, answer.json)
                    return
            answer = await self.plain("POST", "/v1/member/login", {"js_code": f"demo-{member.who}"})
            if answer.good:
                self._keep(member, answer.json)

    def _keep(self, member: Member, tokens: dict[str, Any]) -> None:
        member.access, member.refresh = tokens["access_token"], tokens["refresh_token"]
        member.token_until = self.now() + tokens["expires_in"] - 60

    async def _renew_clerk(self, clerk: Clerk, seen: str) -> None:
        async with clerk.busy:
            if clerk.access != seen:
                return
            body = {"username": clerk.username, "password": clerk.password}
            answer = await self.plain("POST", "/v1/admin/login", body)
            if answer.good:
                clerk.access = answer.json["access_token"]
                clerk.token_until = self.now() + answer.json["expires_in"] - 60

    async def plain(self, method: str, path: str, body: Any = None) -> Answer:
        """A request of nobody, repeated while nobody answers (WeChat's own calls, logging in)."""
        entry = Entry("session", Request(None, method, path, encode(body)))
        return await self._until_decided(entry)

    # -- picking

    def till_of(self, random: Random, store_id: str) -> Till:
        """A till of that store."""
        return random.choice([till for till in self.tills if till.store_id == store_id])

    def pick(self, random: Random) -> Member:
        """Some member; a few are much busier than the others, so that their requests meet."""
        busy = random.random() < BUSY_SHARE
        return self.members[random.randrange(BUSY_MEMBERS if busy else len(self.members))]

    def pick_phone(self, random: Random) -> tuple[Member, Phone, int] | None:
        """A member's phone whose code of this step was not shown yet; it counts as shown from now on."""
        step = self.step()
        for _ in range(12):
            member = self.pick(random)
            for phone in member.phones:
                if phone.last_step < step:
                    phone.last_step = step
                    return member, phone, step
        return None


def encode(body: Any) -> bytes:
    """A JSON body, or none."""
    return b"" if body is None else msgspec.json.encode(body)
