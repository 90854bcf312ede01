"""Who takes part: stores, tills, members and their phones, all computed from a seed, so that no process has to ask.

Ids are scattered as real ones are; nothing here is stored twice, and nothing is secret beyond the benchmark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from random import Random

import msgspec

from backend.kernel import ids
from backend.members import rules as member_rules
from backend.members.types import Card, Level, Status
from backend.pos.schemas import LineIn, TenderInput
from backend.sales.types import TenderType

STORES = 60
TILLS = 4
DEVICES = 4
"""Phones of a member: each gives one code a step."""

SESSIONS = 3
"""Log-ins of a member, where they are loaded."""

PRINCIPAL_FEN = 150_000
BONUS_FEN = 15_000
POINTS = 20_000
POINTS_PAID = 30
"""Points every sale is partly paid with; stored value pays the rest."""

ZONE = "Asia/Shanghai"

_SCATTER = 387_420_489  # coprime to 10^9: numbers scatter without meeting
_NUMBER_STEP = 41_000_017

LEVELS = (
    Level("basic", "普通会员", 0, 10_000, 0),
    Level("bench-silver", "银卡会员", 200, 12_000, 50_000),
    Level("bench-gold", "金卡会员", 500, 15_000, 200_000),
)


class Till(msgspec.Struct, frozen=True):
    """A terminal and what it signs with."""

    id: str
    store_id: str
    secret: str


class Phone(msgspec.Struct, frozen=True):
    """A device with its current handle."""

    id: int
    handle: str
    secret: bytes


class Member(msgspec.Struct, frozen=True):
    """A member; ``number`` counts from 0 and decides everything else."""

    number: int
    id: int
    level: Level
    store_id: str

    @property
    def card(self) -> Card:
        """What the till's pricing needs of the member."""
        return Card(member_id=self.id, member_no="", name_masked="", level=self.level, status=Status.ACTIVE)


class Basket(msgspec.Struct, frozen=True):
    """Three articles and how they are paid."""

    lines: tuple[LineIn, ...]
    tenders: tuple[TenderInput, ...]


class Population:
    """Everybody of one seed."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self._key = hashlib.sha256(seed.encode()).digest()
        random = Random(seed)  # noqa: S311 - made up, not secret
        self.articles = tuple((f"B{10001 + i}", f"基准商品 {i + 1}", random.randrange(8, 30) * 10) for i in range(300))
        self.baskets = tuple(self._basket(random) for _ in range(64))
        self.tills = tuple(
            Till(f"B{store:04d}-T{till}", f"B{store:04d}", self._bytes("till", store * 100 + till).hex())
            for store in range(1, STORES + 1)
            for till in range(1, TILLS + 1)
        )
        self.stolen_till = Till("B0001-T0", "B0001", self._bytes("till", 0).hex())  # nobody buys there

    def member(self, number: int) -> Member:
        """The member of that number."""
        return Member(number, self._id("member", number), LEVELS[number % 3], f"B{number % STORES + 1:04d}")

    def phone(self, number: int, slot: int) -> Phone:
        """A member's phone, ``slot`` 0 to ``DEVICES`` - 1."""
        index = number * DEVICES + slot
        handle = (index * _SCATTER + 123_456_789) % 10**9
        return Phone(self._id("device", index), f"{handle:09d}", self._bytes("secret", index))

    def mark(self, number: int, slot: int) -> int:
        """A device of whose codes only the ledger keeps a mark: pgbench's, not in the way of the server's codes."""
        return self._id("mark", number * DEVICES + slot)

    def phone_number(self, number: int) -> str:
        """The number by which a member would log in."""
        return f"10{number * _SCATTER % 10**9:09d}"

    def identity_id(self, number: int) -> int:
        """A member's WeChat account."""
        return self._id("identity", number)

    def openid(self, number: int) -> str:
        """By what WeChat knows a member; the simulator's js_code for it is ``demo-`` and the part after ``openid-``."""
        return f"openid-bench-{number}"

    def session_id(self, number: int, index: int) -> int:
        """A member's log-in, ``index`` 0 to ``SESSIONS`` - 1."""
        return self._id("session", number * SESSIONS + index)

    def session_random(self, number: int, index: int) -> bytes:
        """What makes a session's first refresh token unlike any other: 24 bytes."""
        return self._bytes("refresh", number * SESSIONS + index)[:24]

    def session_phone(self, number: int) -> Phone:
        """The device that the server keeps for a member's first session."""
        return Phone(
            self._id("session device", number),
            f"{(number * _SCATTER + 623_456_789) % 10**9:09d}",
            self._bytes("session secret", number),
        )

    def sale_id(self, number: int, index: int) -> str:
        """A sale of a member's past."""
        return ids.document_id("S", self.member(number).id, self._id("sale", number * 16 + index))

    def coupon_random(self, number: int, index: int) -> int:
        """What makes the id of a coupon that a member holds."""
        return self._id("coupon", number * 1024 + index)

    def member_no(self, number: int) -> str:
        """The number on a member's card."""
        return member_rules.make_member_no(number * _NUMBER_STEP % (9 * 10**10))

    def till_of(self, member: Member, slot: int) -> Till:
        """Where a member's phone is read: always in the same store."""
        return self.tills[member.number % STORES * TILLS + (member.number // STORES + slot) % TILLS]

    def basket_number(self, number: int, slot: int) -> int:
        """Which basket is bought with a member's phone."""
        return (number * 7 + slot * 13) % len(self.baskets)

    def visits(self, members: int, count: int) -> Iterator[tuple[int, int, int]]:
        """``(member, phone, lap)`` of so many sales: a member's come far apart, a phone's a whole lap apart."""
        return (self.visit(members, n) for n in range(count))

    def visit(self, members: int, n: int) -> tuple[int, int, int]:
        """``(member, phone, lap)`` of sale number n."""
        round_, number = divmod(n, members)
        return number, round_ % DEVICES, round_ // DEVICES

    def _basket(self, random: Random) -> Basket:
        lines = tuple(
            LineIn(sku=sku, name=name, qty=random.choice((1, 1, 2)), unit_price_fen=price)
            for sku, name, price in random.sample(self.articles, 3)
        )
        paid = (TenderInput(type=TenderType.POINTS, points=POINTS_PAID), TenderInput(type=TenderType.STORED))
        return Basket(lines, paid)

    def _bytes(self, purpose: str, number: int) -> bytes:
        return hashlib.blake2b(f"{purpose}:{number}".encode(), key=self._key, digest_size=32).digest()

    def _id(self, purpose: str, number: int) -> int:
        return int.from_bytes(self._bytes(purpose, number)[:8], "big") >> 3 | 1 << 61
