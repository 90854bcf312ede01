"""Coupons by the oracle: silent about true books, and every planted lie is told."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest

from backend.torture import domains
from backend.torture.domains.coupon_books import Batch, Counts, Offer, Printed, Row
from backend.torture.domains.coupon_gifts import CouponGifts, Stored
from backend.torture.domains.coupon_sales import CouponSales
from backend.torture.domains.coupons import GIFT_FROM_FEN, Coupons
from backend.torture.domains.passes import Passes
from backend.torture.domains.pos import Pos
from backend.torture.domains.sale import Sale
from backend.torture.oracle import Books, Document, Oracle
from backend.torture.wire import Client
from backend.torture.world import Clerk, Op, Till, World

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)
TODAY = date(2026, 12, 1)
TILL = Till("S1-T1", "secret", "S1")


class Story:
    """A member who claimed a coupon and a value coupon, redeemed a code, and was given two; one coupon has expired."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: NOW.timestamp(),
            tills=[TILL, Till("S2-T1", "secret", "S2")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={},
            members=2,
            phones=1,
        )
        self.oracle = Oracle(self.world, domains.load(self.world))
        self.coupons = self.world.domain(Coupons)
        self.gifting = self.world.domain(CouponGifts)
        self.told = self.coupons.told
        self.member = self.world.members[1]
        self.world.members[0].id, self.member.id = 70, 77
        for id_, total, cap, worth in (("T1", 3, 2, 1), ("T2", None, None, 300), ("T3", None, None, 1)):
            self.told.offers[id_] = Offer(id_, {}, total, cap, {worth}, 0 if id_ == "T2" else 100)
        self.coupons.gift = self.told.offers["T3"]
        self.printed = self.told.printed["B1"] = Printed("B1", self.told.offers["T3"], ["AAAA", "BBBB"])
        self.claim("C1", "T1")
        self.claim("C2", "T2", 300)
        self.claim("C3", "T3")
        self.printed.redeemed["AAAA"] = "77 k-C3"
        self.told.handed["J1"] = frozenset({77})
        self.world.domain(Pos).sales["S1"] = self.sale()
        self.rows = {
            "C1": Row(
                "C1", 77, "T1", "claim", date(2026, 11, 29), "expired", 1, 1, 1, datetime(2026, 11, 30, tzinfo=UTC)
            ),
            "C2": Row("C2", 77, "T2", "claim", None, None, 1, 300, 0, None),
            "C3": Row("C3", 77, "T3", "code", TODAY, None, 1, 1, 0, None),
            "C4": Row("C4", 77, "T3", "auto:sale:S1", TODAY, None, 1, 1, 0, None),
            "C5": Row("C5", 77, "T3", "staff:J1", TODAY, None, 1, 1, 0, None),
        }
        self.left = {"C1": 0, "C2": 300, "C3": 1, "C4": 1, "C5": 1}
        self.counts = {
            "T1": Counts("T1", 3, 1, 0, 1, 1),
            "T2": Counts("T2", None, 1, 0, 1, 1),
            "T3": Counts("T3", None, 3, 1, 3, 3),
        }
        self.batch = Batch("B1", "T3", "exported", 2, 1, 1)
        self.due: list[tuple[str]] = []
        self.taking: list[tuple[int]] = []
        self.gifts: list[Stored] = []

    def sale(self) -> Sale:
        fen = GIFT_FROM_FEN
        return Sale("S1", self.member, TILL, "completed", fen, {"cash": fen}, 0, 0, [], paid=True)

    def claim(self, id_: str, template: str, worth: int = 1) -> None:
        answer = {"id": id_, "template_id": template, "balance": worth, "state": "available"}
        self.coupons._issued(answer, self.member, self.told.offers[template], f"77 k-{id_}")

    def books(self) -> Books:
        facts: dict[str, list[tuple[Any, ...]]] = {
            "coupons": [tuple(row) for row in self.rows.values()],
            "coupon accounts": [(id_, self.rows[id_].member_id, left) for id_, left in self.left.items()],
            "coupon templates": [tuple(counts) for counts in self.counts.values()],
            "coupon codes": [tuple(self.batch)],
            "coupons due": list(self.due),
            "rewards to take back": list(self.taking),
            "coupon gifts": [tuple(gift) for gift in self.gifts],
        }
        facts |= {name: [] for name in Passes.facts}
        balances: Counter[tuple[int, str]] = Counter()
        for id_, left in self.left.items():
            balances[self.rows[id_].member_id, "coupon"] += left
        expired = {(77, "coupon"): -sum(row.expired for row in self.rows.values())}
        return Books(balances, {}, frozenset(), expired, 0, facts)

    def findings(self) -> list[str]:
        """What the domains say, and whether the sums agree with what was acknowledged."""
        books = self.books()
        coupons = [*self.coupons.check(books, final=True), *self.gifting.check(books, final=True)]
        sales = self.world.domain(CouponSales).check(books, final=True)
        return [*self.world.wrong, *coupons, *sales, *self.oracle._balances(books)]


@pytest.fixture
def story() -> Story:
    return Story()


def test_true_books_are_taken_again_and_again(story):
    assert story.findings() == []
    assert story.findings() == []


@pytest.mark.parametrize(
    ("id_", "lie", "left", "finding"),
    [
        ("C2", {"times": 2, "issued": 600}, 600, "coupon C2 was issued 2 times with 600, acknowledged was 300"),
        ("C2", {}, 299, "coupon C2 holds 299 of 300, 0 expired, 0 were used, 0 given and 0 made void"),
        ("C2", {"member_id": 70}, 300, "coupon C2 is stored as"),
        ("C2", {"template_id": "T3"}, 300, "coupon C2 is stored as"),
        ("C3", {"expires_on": date(2026, 11, 30)}, 1, "coupon C3 was good until 2026-11-30 and still holds 1"),
        ("C1", {"expires_on": date(2026, 11, 30)}, 0, "coupon C1 is good until 2026-11-30 and expired at 2026-11-30"),
        ("C1", {"ended_as": None}, 0, "coupon C1 expired and is noted as None"),
        ("C1", {}, 1, "coupon C1 holds 1 of 1, 1 expired, 0 were used, 0 given and 0 made void"),
        ("C4", {"source": "auto:sale:S2"}, 1, "coupon C4 of member 77 came for auto:sale:S2"),
        ("C4", {"source": "auto:birthday"}, 1, "coupon C4 of member 77 came for auto:birthday"),
        ("C5", {"source": "staff:J2"}, 1, "coupon C5 of member 77 came for staff:J2"),
        ("C5", {"source": "auto:sale:S1"}, 1, "coupon C5 of member 77 came for auto:sale:S1"),
        ("C5", {"source": "claim"}, 1, "coupon C5 of member 77 by claim was never acknowledged"),
    ],
)
def test_a_coupon_that_is_not_as_acknowledged_is_told(story, id_, lie, left, finding):
    story.rows[id_] = story.rows[id_]._replace(**lie)
    story.left[id_] = left

    assert any(found.startswith(finding) for found in story.findings()), story.findings()


@pytest.mark.parametrize(
    ("lie", "finding"),
    [
        ({"issued": 2}, "template T1: 1 coupons, but"),
        ({"booked": 2}, "template T1: 1 coupons, but"),
        ({"counted": 0}, "template T1: 1 coupons, but"),
        ({"reserved": 1}, "template T1: 1 are kept for 0 codes"),
        ({"reserved": 3}, "template T1: 1 issued and 3 kept of 3"),
        ({"total": None}, "template T1: 1 issued and 0 kept of 3"),
    ],
)
def test_a_template_that_miscounts_is_told(story, lie, finding):
    story.counts["T1"] = story.counts["T1"]._replace(**lie)

    assert any(found.startswith(finding) for found in story.findings()), story.findings()


def test_more_than_the_total_or_the_cap_are_told(story):
    story.told.offers["T1"].total = 2
    for id_ in ("C6", "C7"):
        story.claim(id_, "T1")
        story.rows[id_] = Row(id_, 77, "T1", "claim", TODAY, None, 1, 1, 0, None)
        story.left[id_] = 1
    story.counts["T1"] = Counts("T1", 2, 3, 0, 3, 3)

    assert story.findings() == [
        "template T1: 3 issued and 0 kept of 2",
        "template T1: member 77 has 3, at most 2 may be",
    ]


def test_a_reward_goes_with_its_sale(story):
    assert story.findings() == []
    sale = story.world.domain(Pos).sales["S1"]
    sale.refunded_fen, sale.back = 1, {"cash": 1}

    (still_there,) = story.findings()
    story.taking.append((1,))
    assert story.findings() == []
    story.rows["C4"] = story.rows["C4"]._replace(voided=1, ended_as="void")
    story.left["C4"] = 0

    assert still_there.endswith("is still there, and what it was for was given back")
    assert story.findings() == []
    assert story.findings() == []


def test_a_coupon_that_is_made_void_for_nothing_is_told(story):
    story.rows["C4"] = story.rows["C4"]._replace(voided=1, ended_as="void")
    story.left["C4"] = 0

    (finding,) = story.findings()
    assert finding.endswith("was made void, and nothing was given back")


def test_what_was_sold_out_was_sold_to_the_last_piece(story):
    story.told.sold_out.add("T1")

    assert story.findings() == ["template T1: sold out with 1 issued and 0 kept of 3"]


def test_a_coupon_that_is_gone_is_told(story):
    del story.rows["C2"], story.left["C2"]
    story.counts["T2"] = Counts("T2", None, 0, 0, 0, 0)

    assert story.findings() == [
        "coupon C2 was acknowledged and is not stored",
        "member 77: coupons is 3, acknowledged was 303",
    ]


@pytest.mark.parametrize(
    ("lie", "void", "finding"),
    [
        ({"marked": 2}, False, "batch B1: 1 codes were acknowledged as redeemed"),
        ({"claimed": 0}, False, "batch B1: 1 codes were acknowledged as redeemed"),
        ({}, True, "batch B1 was made void and is exported"),
    ],
)
def test_codes_that_are_not_as_acknowledged_are_told(story, lie, void, finding):
    story.batch, story.printed.void = story.batch._replace(**lie), void

    assert any(found.startswith(finding) for found in story.findings()), story.findings()


def test_a_sale_without_its_coupon_is_told_unless_it_is_due(story):
    del story.rows["C4"], story.left["C4"]
    story.counts["T3"] = Counts("T3", None, 2, 1, 2, 2)

    assert story.findings() == ["sale S1 of 1500 fen was given no coupon"]
    story.due = [("sale:S1",)]
    assert story.findings() == []


def test_one_coupon_for_two_requests_and_one_that_was_not_promised_are_told(story):
    answer = {"id": "C1", "template_id": "T1", "balance": 1, "state": "available"}
    story.coupons._issued(answer, story.member, story.told.offers["T1"], "77 k-other")
    story.claim("C9", "T2", 301)

    assert story.world.wrong == [
        "coupon C1 was given for 77 k-C1 and for 77 k-other",
        "a claim of template T2 was answered {'id': 'C9', 'template_id': 'T2', 'balance': 301, 'state': 'available'}",
    ]


SALE = {
    "id": "S9",
    "status": "completed",
    "total_fen": 400,
    "discount_fen": 0,
    "payable_fen": 400,
    "tenders": [{"type": "coupon", "amount_fen": 100, "coupon_id": "C3"}, {"type": "cash", "amount_fen": 300}],
    "points_earned": 0,
    "lines": [{"line_no": 1, "qty": 1, "payable_fen": 400}],
    "at": NOW.isoformat(),
}
BASKET = {"lines": [{"sku": "X", "qty": 1, "unit_price_fen": 400}]}
REFUND = {
    "id": "F9",
    "refund_fen": 400,
    "by_tender": [{"type": "coupon", "amount_fen": 100}, {"type": "cash", "amount_fen": 300}],
    "points_clawed_back": 0,
    "points_returned": 0,
    "coupons_returned": [{"id": "C3", "state": "available"}],
}


def sell(story: Story, **lie: Any) -> Sale:
    """A sale that the coupon of the code pays part of, and its coupon is used in the books."""
    pos = story.world.domain(Pos)
    pos._sold(SALE | lie, BASKET, story.member, TILL)
    story.left["C3"] = 0
    return pos.sales["S9"]


def test_a_sale_takes_its_coupon_and_a_refund_returns_it(story):
    sale = sell(story)
    assert story.findings() == []

    story.world.domain(Pos).take_back(sale, REFUND)
    story.left["C3"] = 1

    assert story.findings() == []
    assert sale.coupons == sale.coupons_back == {"C3": 1}


def test_a_coupon_that_a_sale_was_acknowledged_with_and_is_still_there_is_told(story):
    sell(story)
    story.left["C3"] = 1

    assert story.findings() == [
        "coupon C3 holds 1 of 1, 0 expired, 1 were used, 0 given and 0 made void, 0 went to whom they were merged into",
        "member 77: coupons is 303, acknowledged was 302",
    ]


def test_a_coupon_that_two_sales_took_is_told(story):
    sell(story)
    sell(story, id="S10")

    assert "coupon C3 of 1 was used for 2 and given for 0" in story.findings()


def test_a_coupon_that_takes_another_amount_than_its_face_is_told(story):
    tenders = [{"type": "coupon", "amount_fen": 101, "coupon_id": "C3"}, {"type": "cash", "amount_fen": 299}]

    sell(story, tenders=tenders)

    assert story.world.wrong == ["coupon C3 of template T3 took 101 fen off a sale"]


def test_a_value_coupon_that_pays_more_than_it_was_worth_is_told(story):
    tenders = [{"type": "coupon", "amount_fen": 301, "coupon_id": "C2"}, {"type": "cash", "amount_fen": 99}]

    sell(story, tenders=tenders)

    assert story.world.wrong == ["coupon C2 of template T2 took 301 fen off a sale"]
    assert "coupon C2 of 300 was used for 301 and given for 0" in story.findings()


def test_a_coupon_that_is_given_back_twice_is_told(story):
    sale = sell(story)
    pos = story.world.domain(Pos)

    pos.take_back(sale, REFUND)
    pos.take_back(sale, REFUND | {"id": "F10"})

    assert "coupon C3 of 1 was used for -1 and given for 0" in story.findings()


def test_a_whole_refund_that_keeps_the_coupon_is_told(story):
    sale = sell(story)
    pos = story.world.domain(Pos)

    pos.take_back(sale, REFUND | {"coupons_returned": []})

    document = Document(77, "S9", "sale", "refunded", 2, 5, None, "{}")
    assert any("was refunded wholly, but not to where it came from" in told for told in pos._paid(sale, document, 400))


async def give(story: Story, *, accepted: bool = True) -> None:
    """The value coupon is offered to a friend, who takes it unless ``accepted`` is false."""

    async def answer(op: Any, request: Any, *, accept: Any, refusals: Any) -> None:
        if request.path.endswith("/gifts"):
            accept({"gift_id": "G1", "token": "t" * 22})
        elif request.method == "DELETE":
            accept(None)
        else:
            accept({"id": "C20", "template_id": "T2", "balance": 300, "state": "available"})

    story.world.ask = answer  # type: ignore[method-assign, assignment]
    op = Op(1, "coupon gift", Random(1))
    await story.gifting.offer(op, story.told.pieces["C2"], "k")
    later = datetime(2026, 12, 3, tzinfo=UTC)
    if not accepted:
        story.gifts = [Stored("G1", "C2", 300, None, later, None, 300)]
        return
    await story.gifting.take(op, story.told.given["G1"], story.world.members[0], "k2")
    story.gifts = [Stored("G1", "C2", 300, "accepted", later, "C20", 0)]
    story.rows["C2"] = story.rows["C2"]._replace(given=300, ended_as="given")
    story.rows["C20"] = Row("C20", 70, "T2", "gift:G1", None, None, 1, 300, 0, None)
    story.left |= {"C2": 0, "C20": 300}
    story.counts["T2"] = story.counts["T2"]._replace(booked=2)


async def test_a_gift_that_waits_and_one_that_a_friend_has_are_taken(story):
    await give(story, accepted=False)
    assert story.findings() == []

    await give(story)
    assert story.findings() == []


@pytest.mark.parametrize(
    ("gift", "giver", "friend", "finding"),
    [
        ({"ended_as": None, "accepted_as": None}, {}, {}, "gift G1 is open as None, acknowledged was"),
        ({"accepted_as": "C21"}, {}, {}, "gift G1 is accepted as C21, acknowledged was"),
        ({"id": "G2"}, {}, {}, "gift G2 of coupon C2 was never acknowledged"),
        ({"held": 1}, {}, {}, "coupon C2: 1 are held, its open gift is of 0"),
        ({}, {"given": 299}, {}, "coupon C2 was given for 299, acknowledged was 300"),
        ({}, {}, {"expires_on": TODAY}, "gift G1 of 300 of"),
        ({}, {}, {"source": "gift:G2"}, "gift G1 of 300 of"),
        ({}, {}, {"source": "claim"}, "template T2: 2 coupons, but"),
        ({}, {}, {"times": 2, "issued": 600}, "coupon C20 was issued 2 times with 600, acknowledged was 300"),
    ],
)
async def test_a_gift_that_is_not_as_acknowledged_is_told(story, gift, giver, friend, finding):
    await give(story)

    story.gifts = [story.gifts[0]._replace(**gift)]
    story.rows["C2"] = story.rows["C2"]._replace(**giver)
    story.rows["C20"] = story.rows["C20"]._replace(**friend)

    assert any(found.startswith(finding) for found in story.findings()), story.findings()


async def test_a_gift_that_two_friends_got_is_told(story):
    await give(story)
    answer = {"id": "C21", "template_id": "T2", "balance": 300, "state": "available"}

    story.gifting._received(story.told.given["G1"], answer, story.member, "77 k3")

    assert story.world.wrong[0].startswith("gift G1 of coupon C2 was answered {'id': 'C21'")


async def test_a_gift_that_was_taken_back_and_accepted_is_told(story):
    await give(story, accepted=False)
    gift = story.told.given["G1"]
    await story.gifting._take_back(Op(2, "coupon gift taken back", Random(2)), gift)
    story.gifts[0] = story.gifts[0]._replace(ended_as="taken_back", held=0)
    assert story.findings() == []

    answer = {"id": "C20", "template_id": "T2", "balance": 300, "state": "available"}
    story.gifting._received(gift, answer, story.world.members[0], "70 k2")

    assert story.world.wrong == ["gift G1 was taken back, and accepted as C20"]


async def test_a_gift_that_stays_open_after_its_time_is_told(story):
    await give(story, accepted=False)
    story.gifts[0] = story.gifts[0]._replace(expires_at=datetime(2026, 11, 30, tzinfo=UTC))

    assert story.findings() == ["gift G1 was good until 2026-11-30 00:00:00+00:00 and is still open"]
