"""Goods that are sent: the address book, what sending costs and where to, and who sees the address."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel import clock, db
from backend.kernel.errors import ValidationFailed
from backend.orders import queries
from backend.orders.commands import notices
from backend.orders.rules import delivery as rules
from backend.orders.rules import lines as line_rules
from backend.orders.types import DeliveryRule, Receiver, Want
from backend.wechat import service as wechat
from tests.orders.test_after_sales import ask, step
from tests.orders.test_fulfilment import delivery
from tests.orders.test_placing import standing
from tests.orders.test_pricing import article
from tests.support.coupons import coupons_of, give_coupon
from tests.support.delivery import ADDRESSES, RULE, RULES, SHENZHEN, add_address, make_rule, sent_to
from tests.support.mall import order, put, shelf
from tests.support.members import Phone, register
from tests.support.recharge import all_answered, pay
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"
"""Half a kilogram, ¥12.50."""

NO_FREIGHT = {"kind": "shipping", "validity": {"days": 3}}


# -- rules


def rule(**fields: Any) -> DeliveryRule:
    plain: dict[str, Any] = {
        "id": "A1",
        "title": "x",
        "stores": (),
        "regions": (),
        "regions_excluded": (),
        "first_g": 1_000,
        "first_fen": 800,
        "further_g": 500,
        "further_fen": 200,
        "free_from_fen": None,
        "priority": 0,
        "active": True,
    }
    return DeliveryRule(**plain | fields)


@given(
    first_g=st.integers(1, 5_000),
    further_g=st.integers(1, 5_000),
    fees=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)),
    weights=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)),
)
def test_more_weight_never_costs_less_and_each_further_weight_begun_is_paid_once(first_g, further_g, fees, weights):
    one = rule(first_g=first_g, further_g=further_g, first_fen=fees[0], further_fen=fees[1])
    light, heavy = sorted(weights)

    assert fees[0] <= rules.weight_fen(one, light) <= rules.weight_fen(one, heavy)
    assert rules.weight_fen(one, first_g) == fees[0]
    assert rules.weight_fen(one, first_g + heavy * further_g) == fees[0] + heavy * fees[1]
    assert rules.weight_fen(one, first_g + heavy * further_g + 1) == fees[0] + (heavy + 1) * fees[1]


@given(free_from=st.integers(0, 5_000), fen=st.integers(1, 2_000), qty=st.integers(1, 5))
def test_freight_is_nothing_from_so_many_fen_of_goods_on(free_from, fen, qty):
    lines = line_rules.open_lines([Want("a", qty)], {"a": article("a", fen, weight_g=400)})
    made = rules.freight(rule(free_from_fen=free_from), lines)

    assert (made.weight_g, made.free) == (400 * qty, fen * qty >= free_from)
    assert made.fee_fen == (0 if made.free else rules.weight_fen(rule(), 400 * qty))


@pytest.mark.parametrize(("from_fen", "fee_fen"), [(1_800, 0), (1_801, 800)])
def test_goods_count_towards_free_freight_with_what_is_paid_for_them(from_fen, fee_fen):
    """Two of ¥9 that stand for ¥10 on the shelf."""
    lines = line_rules.open_lines([Want("a", 2)], {"a": article("a", 1_000, weight_g=400)})
    paid = [msgspec.structs.replace(line, payable_fen=1_800) for line in lines]

    assert rules.freight(rule(free_from_fen=from_fen), paid).fee_fen == fee_fen


@pytest.mark.parametrize(
    ("store_id", "code", "found"),
    [
        ("S1", "440305", "district"),  # names it most closely
        ("S1", "440306", "city"),
        ("S1", "441900", "province"),
        ("S2", "441900", None),  # the province's rule is store S1's
        ("S1", "650102", None),  # out of the rule for everywhere
        ("S1", "110101", "everywhere"),
        ("S1", "460100", "first"),  # though another one names it more closely
    ],
)
def test_the_rule_that_counts(store_id, code, found):
    known = [
        rule(id="everywhere", regions_excluded=("65", "44")),
        rule(id="province", stores=("S1",), regions=("44",)),
        rule(id="city", regions=("4403",)),
        rule(id="district", regions=("4401", "440305")),
        rule(id="off", regions=("440305",), priority=9, active=False),
        rule(id="first", regions=("46",), priority=1),
        rule(id="close", regions=("460100",)),
    ]

    reaching = rules.find_rule(reversed(known), store_id, code)

    assert (reaching.id if reaching else None) == found


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"region": "650102"}, "/region"),  # the code of a cheaper province
        ({"region": "990000"}, "/region"),
        ({"region": "440300"}, "/region"),  # a city's, of which rules for its districts know nothing
        ({"region": "440000"}, "/region"),
        ({"region": "310101", "province": "上海市", "city": "苏州市"}, "/city"),
        ({"name": " \t "}, "/name"),
        ({"street": "科技园\u202e路"}, "/street"),
        ({"phone": "1371234567８"}, "/phone"),
        ({"region": "44030"}, "/region"),
    ],
)
async def test_an_address_that_makes_no_sense_is_refused(phone, change, pointer):
    refused = await phone.call("POST", ADDRESSES, SHENZHEN | change)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert (await phone.call("GET", ADDRESSES)).json() == {"items": []}


def test_a_receiver_shows_nothing_of_itself():
    receiver = Receiver(**SHENZHEN)

    assert repr(receiver) == str(receiver) == "Receiver(…)"
    assert rules.masked(receiver) == Receiver(**SHENZHEN | {"name": "欧**", "phone": "137****5678", "street": ""})
    with pytest.raises(ValidationFailed):
        rules.check_region("310101", "广东省", "深圳市")


@pytest.mark.parametrize(
    ("street", "listed"),
    [("文三路 100 号翠苑小区3幢502室", "…3幢502室"), ("路9号", "…号"), ("路", ""), ("翠苑3幢", "…3幢")],
)
def test_its_own_list_shows_the_end_of_a_street_never_more_than_half(street, listed):
    receiver = Receiver(**SHENZHEN | {"street": street})

    assert rules.listed(receiver) == msgspec.structs.replace(rules.masked(receiver), street=listed)


def test_what_a_store_sends_is_said_by_its_least_free_from():
    known = [
        rule(id="near", stores=("S1",), free_from_fen=9_900),
        rule(id="far", free_from_fen=19_900),
        rule(id="old", active=False, free_from_fen=1),
        rule(id="other", stores=("S2",), free_from_fen=2),
    ]

    assert rules.free_from_at(known, "S1") == (True, 9_900)
    assert rules.free_from_at([rule(stores=("S1",), free_from_fen=None)], "S1") == (True, None)
    assert rules.free_from_at(known[2:], "S1") == (False, None)


@pytest.mark.parametrize(
    ("region", "province", "city"),
    [
        ("310101", "上海市", "上海市"),
        ("310101", "上海市", "市辖区"),
        ("500229", "重庆市", "县"),
        ("441900", "广东省", "东莞市"),
        ("810001", "香港特别行政区", "香港岛"),
        ("820000", "澳门特别行政区", "澳门"),
        ("659012", "新疆维吾尔自治区", "自治区直辖县级行政区划"),
    ],
)
def test_places_without_a_city_or_a_district_of_their_own_have_addresses(region, province, city):
    rules.check_region(region, province, city)


async def test_the_rule_that_pricing_would_not_read_is_refused(admin):
    await make_rule(admin, title="头一条")
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO orders_delivery_rule SELECT 'AFULL' || n, title, stores, regions, regions_excluded, first_g,"
            " first_fen, further_g, further_fen, free_from_fen, priority, false, created_at, updated_at, staff_id"
            " FROM orders_delivery_rule, generate_series(1, 498 - (SELECT count(*) FROM orders_delivery_rule)) AS n"
            " WHERE title = '头一条'"
        )

    made = await asyncio.gather(*(admin.post(RULES, RULE | {"title": f"第{n}条"}) for n in range(6)))
    listed = (await admin.get(RULES)).json()["items"]

    assert Counter(one.json().get("code", "made") for one in made) == {"made": 2, "delivery_rules_full": 4}
    assert len(listed) == 500
    changed = await admin.call("PUT", f"{RULES}/{listed[0]['id']}", RULE | {"title": "改了", "active": False})
    assert changed.status_code == 200
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM orders_delivery_rule WHERE title = '改了' OR title LIKE '%条'")
    queries.forget_delivery_rules()


# -- the address book


async def test_an_address_book_holds_twenty_and_always_one_default_also_under_many_phones(phone):
    streets = [f"路{number}号" for number in range(23)]
    same = await asyncio.gather(*(phone.call("POST", ADDRESSES, SHENZHEN) for _ in range(3)))
    made = [await phone.call("POST", ADDRESSES, SHENZHEN | {"street": street}) for street in streets[:18]]
    last = await asyncio.gather(
        *(phone.call("POST", ADDRESSES, SHENZHEN | {"street": one, "is_default": True}) for one in streets[18:20])
    )

    book = (await phone.call("GET", ADDRESSES)).json()["items"]
    assert {answer.json()["id"] for answer in same} == {same[0].json()["id"]}
    assert [answer.status_code for answer in made] == [201] * 18
    assert sorted(answer.status_code for answer in last) == [201, 409]
    assert [answer.json()["code"] for answer in last if answer.status_code == 409] == ["address_book_full"]
    assert [len(book), sum(one["is_default"] for one in book), book[0]["is_default"]] == [20, 1, True]
    assert {(one["name"], one["phone"]) for one in book} == {("欧**", "137****5678")}
    assert {one["street"][:1] for one in book} == {"…"}

    gone = await phone.call("DELETE", f"{ADDRESSES}/{book[0]['id']}")
    again = await phone.call("DELETE", f"{ADDRESSES}/{book[0]['id']}")
    changed = await phone.call("PUT", f"{ADDRESSES}/{made[0].json()['id']}", SHENZHEN | {"name": "王五"})
    rest = (await phone.call("GET", ADDRESSES)).json()["items"]

    assert (gone.status_code, again.status_code, changed.json()["name"]) == (204, 404, "王五")
    assert [len(rest), sum(one["is_default"] for one in rest)] == [19, 1]
    whole = (await phone.call("GET", f"{ADDRESSES}/{made[1].json()['id']}")).json()
    assert whole == SHENZHEN | {"street": streets[1], "id": made[1].json()["id"], "is_default": False}


# -- orders


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def guangdong(admin, mall) -> None:
    """Store S1 sends within Guangdong."""
    await make_rule(admin, stores=["S1"])


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(phone: Phone) -> Phone:
    """Has ¥500; ten apples more lie in the store."""
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    return phone


async def stored_fen(phone: Phone) -> int:
    fen: int = (await phone.wallet())["stored"]["total_fen"]
    return fen


async def test_the_phone_hears_which_stores_send(phone):
    offers = [(await phone.call("GET", f"/v1/member/mall/delivery?store_id={store}")).json() for store in ("S1", "S2")]

    assert offers == [{"sends": True, "free_from_fen": None}, {"sends": False, "free_from_fen": None}]


async def test_an_order_is_sent_where_its_address_was_and_a_cancel_gives_its_freight_back(buyer, admin):
    before = await standing(buyer)
    coupon_id = await give_coupon(admin, buyer, NO_FREIGHT | {"face_fen": 700})
    address_id = await add_address(buyer)
    body, key = sent_to(address_id, (coupon_id,), a6902=3), uuid.uuid4().hex  # 1.5 kg

    (quoted,) = (await buyer.call("POST", "/v1/member/orders/quote", body)).json()["orders"]
    placed = await order(buyer, body, quoted["payable_fen"], key=key)
    await buyer.call("PUT", f"{ADDRESSES}/{address_id}", SHENZHEN | {"street": "别处"})
    await buyer.call("DELETE", f"{ADDRESSES}/{address_id}")
    again = await order(buyer, body, quoted["payable_fen"], key=key)

    assert placed.status_code == 201, placed.text
    assert (quoted["freight_fen"], quoted["total_fen"], quoted["payable_fen"]) == (1_000, 4_750, 4_750)
    assert {**quoted["freight"], "rule_id": ""} == {
        "rule_id": "",
        "title": "广东",
        "weight_g": 1_500,
        "fee_fen": 1_000,
        "free": False,
    }
    assert [(one["id"], one["used"], one["amount_fen"]) for one in quoted["coupons"]] == [(coupon_id, True, 700)]
    assert (quoted["best_coupon_ids"], quoted["best_exact"], quoted["best_most"]) == ([coupon_id], True, True)
    (made,) = placed.json()["orders"]
    assert [(one["type"], one["amount_fen"]) for one in made["tenders"]] == [("coupon", 700), ("stored", 4_050)]
    assert (made["delivery"], made["freight_fen"], made["points_earned"]) == ("express", 1_000, 75)
    assert again.json()["orders"] == placed.json()["orders"]
    assert await stored_fen(buyer) == 45_950
    assert (await delivery(buyer, made["id"]))["receiver"] == SHENZHEN
    assert await found_in_clear("13712345678", "欧阳小敏", "科技园路九号甲座") == []

    cancelled = await buyer.call("POST", f"/v1/member/orders/{made['id']}/cancel")

    assert (cancelled.json()["status"], cancelled.json()["refunded_fen"]) == ("cancelled", 4_750)
    assert [one["state"] for one in await coupons_of(buyer)] == ["available"]
    assert (await buyer.wallet(), await shelf("S1", APPLE)) == (before[0], before[3])


async def found_in_clear(*words: str) -> list[str]:
    """The tables in which one of these words can be read."""
    tables = await db.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND has_table_privilege(oid, 'SELECT')"
    )
    pattern = f"({'|'.join(words)})"
    return [
        table for (table,) in tables if await db.fetch(f"SELECT FROM {table} t WHERE t::text ~ $1 LIMIT 1", pattern)
    ]


async def test_what_no_rule_reaches_or_is_not_the_member_s_moves_nothing(buyer, client, admin):
    shanghai = await add_address(buyer, region="310101", province="上海市", city="上海市", district="黄浦区")
    theirs = await add_address(await register(client))
    before = await standing(buyer)
    nowhere = sent_to(shanghai, a6902=1)
    without = sent_to(shanghai, a6902=1)
    del without["orders"][0]["delivery"]["address_id"]
    fetched = sent_to(shanghai, a6902=1)
    fetched["orders"][0]["delivery"]["kind"] = "pickup"
    other_store = sent_to(await add_address(buyer), a6902=1)
    other_store["orders"][0]["store_id"] = "S2"

    refused = [
        await order(buyer, body, 2_050) for body in (nowhere, other_store, sent_to(theirs, a6902=1), without, fetched)
    ]
    cheap = await order(buyer, sent_to(await add_address(buyer), a6902=1), 1_250)

    assert [(one.status_code, one.json()["code"]) for one in refused] == [
        *[(409, "address_out_of_range")] * 2,
        (404, "not_found"),
        *[(422, "validation_failed")] * 2,
    ]
    assert (cheap.json()["code"], cheap.json()["quote"]["payable_fen"]) == ("price_changed", 2_050)
    assert await standing(buyer) == before

    rule_id = await make_rule(admin, title="包邮", regions=["31"], free_from_fen=1_250)
    (free,) = (await buyer.call("POST", "/v1/member/orders/quote", nowhere)).json()["orders"]
    assert (free["freight_fen"], free["freight"]["free"], free["payable_fen"]) == (0, True, 1_250)
    off = await admin.call("PUT", f"{RULES}/{rule_id}", RULE | {"active": False})
    after = await buyer.call("POST", "/v1/member/orders/quote", nowhere)
    assert (off.status_code, after.json()["code"]) == (200, "address_out_of_range")


async def test_orders_placed_together_each_keep_their_own_receiver(buyer, client, admin):
    others = [buyer, await register(client), await register(client)]
    for other in others[1:]:
        await give(other.member_id, principal=5_000)
    bodies = [sent_to(await add_address(one, name=f"收件人{n}"), a6902=1) for n, one in enumerate(others)]
    bodies[1] = {"orders": [{**bodies[1]["orders"][0], "delivery": {"kind": "pickup"}}]}

    placed = await asyncio.gather(
        *(order(one, body, fen) for one, body, fen in zip(others, bodies, (2_050, 1_250, 2_050), strict=True))
    )

    shown = [await delivery(one, answer.json()["checkout_id"]) for one, answer in zip(others, placed, strict=True)]
    assert [one["receiver"]["name"] if "receiver" in one else None for one in shown] == ["收件人0", None, "收件人2"]


async def test_staff_see_the_address_of_what_they_send_and_that_is_noted(buyer, manager, stranger):
    made = await order(buyer, sent_to(await add_address(buyer), a6902=2), 3_300)
    order_id = made.json()["checkout_id"]
    path = f"/v1/admin/orders/{order_id}"

    async def noted() -> list[tuple[str, str]]:
        rows = await db.fetch("SELECT action, detail FROM orders_change WHERE order_id = $1", order_id)
        return [tuple(row) for row in rows]

    other = await stranger.get(path)
    listed = (await manager.get("/v1/admin/orders?status=paid")).text
    seen = (await manager.get(path)).json()
    sent = await manager.post(f"{path}/parcels", {"carrier": "YTO", "tracking_no": "YT1000001"})
    assert (other.status_code, await noted()) == (404, [("receiver_seen", "{}")])
    assert seen["delivery"]["receiver"] == SHENZHEN
    assert (SHENZHEN["phone"] in listed, "receiver" in sent.json()["delivery"]) == (False, False)

    await buyer.call("POST", f"/v1/member/orders/{order_id}/receipt")
    later = (await manager.get(path)).json()["delivery"]["receiver"]

    assert (later["name"], later["phone"], later["street"], later["city"]) == ("欧**", "137****5678", "", "深圳市")
    assert len(await noted()) == 1


@pytest.mark.parametrize(
    ("said", "decided", "paid", "back_fen"),
    [
        ("member", None, None, 1_250),
        ("shop", None, None, 1_250),
        ("shop", "member", None, 1_250),
        ("member", "shop", None, 2_050),
        ("member", None, "shop", 2_050),
        ("shop", "shop", "member", 1_250),
    ],
)
async def test_freight_that_was_earned_goes_back_only_where_staff_say_the_shop_is_at_fault(
    buyer, manager, said, decided, paid, back_fen
):
    made = await order(buyer, sent_to(await add_address(buyer), a6902=1), 2_050)
    order_id = made.json()["checkout_id"]
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "YTO", "tracking_no": "YT1000001"})

    asked = (await ask(buyer, order_id, "return", fault=said)).json()["id"]
    for name, body in (("approve", {"fault": decided} if decided else {}), ("goods", {})):
        assert (await step(manager, asked, name, body)).status_code == 200
    done = (await step(manager, asked, "refund", {"fault": paid} if paid else {})).json()

    assert done["refund"]["refund_fen"] == back_fen
    assert (done["fault"], done.get("decided_fault")) == (said, paid or decided)
    assert await stored_fen(buyer) == 50_000 - 2_050 + back_fen


async def test_wechat_hears_the_receiver_s_masked_phone_of_a_carrier_that_asks_for_it(buyer, manager):
    body = sent_to(await add_address(buyer), a6902=1) | {"tenders": [{"type": "wechat"}]}
    payment = (await order(buyer, body, 2_050)).json()["payment"]
    await pay(buyer.client, payment["id"])
    await all_answered(buyer.client, payment["id"], 1)
    (made,) = (await buyer.call("GET", "/v1/member/orders")).json()["items"]

    await manager.post(f"/v1/admin/orders/{made['id']}/parcels", {"carrier": "SF", "tracking_no": "SF1000001"})
    await notices.tell_due(clock.now())

    assert (payment["pay_fen"], made["status"]) == (2_050, "paid")
    assert (await wechat.shipping_state(payment["id"])).finished
    told = (await buyer.client.get("/mock/state")).text
    assert SHENZHEN["phone"] not in told
