"""The oracle on made-up books: silent about true ones, and every planted lie is told."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from backend.torture import domains
from backend.torture.domains.accruals import Accruals
from backend.torture.domains.pos import Pos
from backend.torture.domains.wallet import Recharge, Wallet
from backend.torture.journal import Entry, Request
from backend.torture.oracle import Books, Document, Oracle
from backend.torture.wire import Answer, Client
from backend.torture.world import Clerk, Op, Phone, Till, World

NOW = 1_795_435_200.0
TILL = Till("S1-T1", "secret", "S1")


class Story:
    """One member who recharged ¥100, bought for ¥10 and gave back ¥4: the books that are right."""

    def __init__(self) -> None:
        self.world = World(
            1,
            Client("127.0.0.1", 1, 1),
            lambda: NOW,
            tills=[TILL, Till("S2-T1", "secret", "S2")],
            staff=[Clerk("admin", "", "admin", None)],
            wechat={"push_token": "t"},
            members=1,
            phones=1,
        )
        self.domains = domains.load(self.world)
        self.oracle = Oracle(self.world, self.domains)
        self.member = self.world.members[0]
        self.member.id = 77
        self.pos, self.wallet = self.world.domain(Pos), self.world.domain(Wallet)
        self.wallet.recharges["R1"] = Recharge("R1", self.member, 10_000, None, paid=True)
        self.acknowledge("terminal/S1-T1", "k1")
        self.sell(SALE, BASKET)
        self.acknowledge("terminal/S1-T1", "k2")
        self.pos.take_back(self.pos.sales["S1"], REFUND)
        self.balances = {(77, "stored"): 10_000 - 980 + 400, (77, "points"): 9 - 4}
        self.documents: dict[str, Document] = {}
        self.document("recharge", "R1", "paid", {"bonus_fen": 0, "points": 0})
        self.document("sale", "S1", "partly_refunded", {"refunded_fen": 400})
        self.document("refund", "F1", "posted", {})
        self.keys = {("terminal/S1-T1", "k1"), ("terminal/S1-T1", "k2")}
        self.expired: dict[tuple[int, str], int] = {}
        self.pos.codes.spend(Phone("d1", "123456789", b"s"), 5, "k1")
        self.marks = {"d1": 5, "d2": 0, "d3": 1 << 62}
        self.growth, self.events = 980 - 400, 0
        self.orders = {"R1": ("SUCCESS", 10_000)}

    def acknowledge(self, scope: str, key: str, *, status: int = 201, lost: int = 0) -> None:
        request = Request(TILL, "POST", "/v1/pos/sales", b"", key, scope)
        self.world.journal.note(Entry("sale", request, lost=lost), Answer(status, {}, b"{}"))

    def sell(self, answer: dict[str, Any], basket: dict[str, Any]) -> None:
        self.pos._sold(answer, basket, self.member, TILL)

    def document(self, kind: str, id_: str, state: str, facts: Any, *, version: int = 2, digest: int = 5) -> None:
        text = msgspec.json.encode(facts).decode()
        self.documents[id_] = Document(77, id_, kind, state, version, digest, None, text)

    def books(self) -> Books:
        balances, documents, expired = dict(self.balances), dict(self.documents), dict(self.expired)
        facts: dict[str, list[tuple[Any, ...]]] = {
            "growth": [(77, self.growth)],
            "orders": [(id_, *order) for id_, order in self.orders.items()],
            "device marks": list(self.marks.items()),
        }
        facts = {name: [] for domain in self.domains for name in (*domain.facts, *domain.psp_facts)} | facts
        return Books(
            balances,
            documents,
            frozenset(self.keys),
            expired,
            self.events,
            facts,
        )

    def findings(self, *, final: bool = False) -> list[str]:
        return self.world.wrong + self.oracle.check(self.books(), final=final)


BASKET = {"order_no": "1", "lines": [{"sku": "X", "qty": 2, "unit_price_fen": 500}]}
SALE = {
    "id": "S1",
    "status": "completed",
    "order_no": "1",
    "total_fen": 1000,
    "discount_fen": 20,
    "payable_fen": 980,
    "tenders": [{"type": "stored", "amount_fen": 980}],
    "points_earned": 9,
    "lines": [{"line_no": 1, "qty": 2, "payable_fen": 980}],
    "at": datetime.fromtimestamp(NOW, UTC).isoformat(),
}
REFUND = {
    "id": "F1",
    "refund_fen": 400,
    "by_tender": [{"type": "stored", "amount_fen": 400}],
    "points_clawed_back": 4,
    "points_returned": 0,
    "coupons_returned": [],
}


@pytest.fixture
def story() -> Story:
    return Story()


def test_true_books_are_taken_again_and_again(story):
    assert story.findings() == []
    assert story.findings(final=True) == []


def test_the_model_refuses_a_name_that_nobody_compares(story):
    with pytest.raises(KeyError, match="no domain has the sum 'pionts'"):
        story.world.model.move(77, stored=5, pionts=1)
    with pytest.raises(KeyError, match="no domain has the sum 'pionts'"):
        story.world.model.held(77, "pionts")

    assert story.findings() == []


@pytest.mark.parametrize(
    ("attribute", "names", "message"),
    [
        ("sums", {"stored": {"stored": 1}}, "two domains have a sum called stored"),
        ("facts", {"growth": "SELECT 1"}, "two domains have a fact called growth"),
        ("psp_facts", {"growth": "SELECT 1"}, "two domains have a fact called growth"),
    ],
)
def test_two_domains_of_one_name_are_refused(story, monkeypatch, attribute, names, message):
    monkeypatch.setattr(Accruals, attribute, names)

    with pytest.raises(ValueError, match=message):
        domains.load(story.world)


def lose_a_key(story: Story) -> None:
    story.keys.discard(("terminal/S1-T1", "k2"))


def store_a_key_nobody_knows(story: Story) -> None:
    story.keys.add(("member/77", "k9"))


def lose_a_sale(story: Story) -> None:
    del story.documents["S1"]


def store_a_sale_nobody_knows(story: Story) -> None:
    story.document("sale", "S9", "completed", {})


def store_a_refund_nobody_knows(story: Story) -> None:
    story.document("refund", "F9", "posted", {})


def forget_a_refund_in_the_sale(story: Story) -> None:
    story.document("sale", "S1", "completed", {})


def a_fen_too_much(story: Story) -> None:
    story.balances[77, "stored"] += 1


def a_point_too_few(story: Story) -> None:
    story.balances[77, "points"] -= 1


def below_zero(story: Story) -> None:
    story.balances[77, "points_debt"] = -1


def credit_what_was_not_paid(story: Story) -> None:
    story.orders["R1"] = ("NOTPAY", 10_000)


def credit_another_amount(story: Story) -> None:
    story.orders["R1"] = ("SUCCESS", 9_999)


def give_what_was_not_promised(story: Story) -> None:
    story.document("recharge", "R1", "paid", {"bonus_fen": 100, "points": 0})
    story.balances[77, "stored"] += 100


def credit_a_recharge_nobody_knows(story: Story) -> None:
    story.document("recharge", "R9", "paid", {})


def expire_what_was_paid(story: Story) -> None:
    story.expired[77, "stored"] = -5
    story.balances[77, "stored"] -= 5


def expire_more_than_is_gone(story: Story) -> None:
    story.expired[77, "points"] = -2
    story.balances[77, "points"] -= 1


def spend_a_code_for_nothing(story: Story) -> None:
    story.marks["d2"] = 4


def forget_a_spent_code(story: Story) -> None:
    story.marks["d1"] = 4


def lose_the_mark_of_a_code(story: Story) -> None:
    del story.marks["d1"]


def invent_a_kind(story: Story) -> None:
    story.document("voucher", "V1", "open", {})


def invent_an_account(story: Story) -> None:
    story.balances[77, "vouchers"] = 0


LIES = {
    lose_a_key: "acknowledged but not stored: terminal/S1-T1 k2",
    store_a_key_nobody_knows: "stored but never acknowledged: member/77 k9",
    lose_a_sale: "sale S1 was acknowledged and is not stored",
    store_a_sale_nobody_knows: "sale S9 was never acknowledged",
    store_a_refund_nobody_knows: "refund F9 was never acknowledged",
    forget_a_refund_in_the_sale: "sale S1 is completed with 0 fen refunded",
    a_fen_too_much: "stored is 9421, acknowledged was 9420",
    a_point_too_few: "points is 4, acknowledged was 5",
    below_zero: "member 77: points_debt is -1",
    credit_what_was_not_paid: "recharge R1 is credited, but NOTPAY at the PSP",
    credit_another_amount: "recharge R1: 10000 fen here, 9999 at the PSP",
    give_what_was_not_promised: "recharge R1 gave (100, 0), promised were [(0, 0)]",
    credit_a_recharge_nobody_knows: "recharge R9 was never acknowledged",
    expire_what_was_paid: "of member 77 5 of stored expired, gifts were 0",
    expire_more_than_is_gone: "points is 4, acknowledged was 3",
    spend_a_code_for_nothing: "the last spent step of device d2 is 4, acknowledged was 0",
    forget_a_spent_code: "the last spent step of device d1 is 4, acknowledged was 5",
    lose_the_mark_of_a_code: "device d1 has no last spent step, acknowledged was 5",
    invent_a_kind: "voucher V1: no domain knows this kind",
    invent_an_account: "member 77: no domain knows the account vouchers",
}


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_in_the_books_is_told(story, lie):
    lie(story)

    assert any(LIES[lie] in finding for finding in story.findings()), story.findings()


@pytest.mark.parametrize(
    ("state", "version", "digest", "finding"),
    [
        ("completed", 3, 5, "went from partly_refunded to completed"),
        ("rejected", 3, 5, "went from partly_refunded to rejected"),
        ("refunded", 1, 5, "version 2 to 1"),
        ("partly_refunded", 3, 6, "or its body"),
        ("partly_refunded", 2, 6, "or its body"),
    ],
)
def test_a_document_only_goes_forward(story, state, version, digest, finding):
    assert story.findings() == []

    story.document("sale", "S1", state, {"refunded_fen": 400}, version=version, digest=digest)

    assert any(finding in told for told in story.findings())


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"payable_fen": 981, "discount_fen": 19}, "is priced"),
        ({"tenders": [{"type": "stored", "amount_fen": 979}]}, "is priced"),
        ({"points_earned": 50}, "earned 50 points"),
        ({"status": "refunded"}, "a new sale is refunded"),
        ({"lines": [{"line_no": 1, "qty": 2, "payable_fen": 979}]}, "is priced"),
    ],
)
def test_a_lie_in_an_answer_is_told(story, changes, finding):
    story.sell(SALE | {"id": "S2"} | changes, BASKET)

    assert any(finding in told for told in story.world.wrong)


def test_a_code_is_spent_once(story):
    phone = Phone("d4", "123456789", b"s")

    story.pos.codes.spend(phone, 5, "k1")
    story.pos.codes.spend(phone, 5, "k1")  # the same request, answered again
    assert story.world.wrong == []

    story.pos.codes.spend(phone, 5, "k2")
    assert story.world.wrong == ["the code of step 5 of device d4 was spent by k1 and by k2"]


def test_the_day_without_confirmation_is_capped(story):
    big = SALE | {"total_fen": 20_000, "discount_fen": 0, "payable_fen": 20_000, "points_earned": 0}
    basket = {"order_no": "2", "lines": [{"sku": "X", "qty": 1, "unit_price_fen": 20_000}]}
    for number in range(5):
        tenders = [{"type": "stored", "amount_fen": 20_000}]
        lines = [{"line_no": 1, "qty": 1, "payable_fen": 20_000}]
        story.sell(big | {"id": f"B{number}", "tenders": tenders, "lines": lines}, basket)

    assert len(story.world.wrong) == 1  # ¥9.80 were paid before
    assert "100980 fen, without confirming" in story.world.wrong[0]


def test_a_whole_refund_gives_everything_back_where_it_came_from(story):
    rest = REFUND | {"id": "F2", "refund_fen": 580, "by_tender": [{"type": "cash", "amount_fen": 580}]}
    story.pos.take_back(story.pos.sales["S1"], rest)
    story.document("refund", "F2", "posted", {})
    story.document("sale", "S1", "refunded", {"refunded_fen": 980}, version=3)

    assert any("not to where it came from" in finding for finding in story.findings())


def test_money_at_the_psp_is_credited_in_the_end(story):
    story.wallet.recharges["R2"] = Recharge("R2", story.member, 500, None, paid=True)
    story.document("recharge", "R2", "pending", {}, version=1)
    story.orders["R2"] = ("SUCCESS", 500)

    assert story.findings() == []
    assert any("R2 is pending, but its money is at the PSP" in told for told in story.findings(final=True))


def test_what_was_credited_is_never_given_back_at_the_psp(story):
    assert story.findings() == []

    story.orders["R1"] = ("REFUND", 10_000)

    assert story.findings() == ["recharge R1 was credited, but is REFUND at the PSP"]


def test_points_of_a_sale_that_was_approved_stay_within_bounds(story):
    story.sell(SALE | {"id": "W1", "status": "awaiting_confirmation", "expires_at": SALE["at"]}, BASKET)
    story.pos.sales["W1"].tried, story.pos.sales["W1"].told = {"approve"}, "approve"
    story.document("sale", "W1", "completed", {"points_earned": 50})

    story.findings()

    assert "sale W1 of 980 fen earned 50 points" in story.world.wrong


@pytest.mark.parametrize("more", [1, -1])
async def test_an_amount_is_refunded_to_the_fen(story, more):
    async def refund(op, request, *, accept, refusals):
        asked = msgspec.json.decode(request.body)
        fen = asked["amount_fen"] + more if "amount_fen" in asked else 980 * asked["lines"][0]["qty"] // 2 + more
        accept(REFUND | {"id": f"F-{op.number}", "refund_fen": fen, "by_tender": [{"type": "cash", "amount_fen": fen}]})

    story.world.ask = refund
    story.pos.recent.append(story.pos.sales["S1"])
    for number in range(20):
        await story.pos.refund(Op(number, "refund", Random(number)))

    amounts = [told for told in story.world.wrong if "amount_fen" in told]
    pieces = [told for told in story.world.wrong if "'line_no': 1" in told]
    assert amounts
    assert bool(pieces) == (more > 0)


def test_every_event_is_handled_once_in_the_end(story):
    story.growth += 980
    assert story.findings() == []
    assert story.findings(final=True) == ["member 77 grew by 1560, spent 580 fen"]

    story.events = 2
    assert story.findings(final=True) == ["2 events were not handled"]


def test_a_closed_order_that_was_paid_is_given_back(story):
    story.wallet.recharges["R2"] = Recharge("R2", story.member, 500, None, paid=True)
    story.document("recharge", "R2", "closed", {})
    story.orders["R2"] = ("SUCCESS", 500)
    assert story.findings() == []
    assert story.findings(final=True) == ["recharge R2 is closed, but its money is at the PSP"]

    story.document("recharge", "R2", "refunding", {}, version=3)
    assert story.findings(final=True) == []


@pytest.mark.parametrize(("told", "state"), [("reject", "completed"), ("approve", "expired"), ("", "cancelled")])
def test_a_decision_that_was_acknowledged_stands_and_no_other(story, told, state):
    answer = SALE | {"id": "W1", "status": "awaiting_confirmation", "expires_at": SALE["at"]}
    story.sell(answer, BASKET)
    sale = story.pos.sales["W1"]
    sale.told, sale.tried = told, {told} - {""}
    story.document("sale", "W1", state, {"points_earned": 0})

    assert any(finding.startswith("sale W1") for finding in story.findings())


def test_a_doubt_is_no_acknowledgement(story):
    story.acknowledge("terminal/S1-T1", "k3", status=409, lost=1)

    assert story.findings() == []
    assert ("terminal/S1-T1", "k3") in story.world.journal.doubtful
