"""The one list of cards, and what a till is shown of it."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from backend.auth import queries as auth
from backend.cards.queries import CARRIED
from backend.kernel import db, outbox
from backend.members.queries import CARDHOLDERS
from tests.support.books import fingerprint
from tests.support.coupons import CASH, claim, give_coupon, log_in_again, make_template
from tests.support.gift_cards import bind, sold_card
from tests.support.members import register
from tests.support.passes import CLUB, PARKING, WASHES, buy, line_of, make_pass_product
from tests.support.seed import Chain
from tests.support.stamps import CARDS as CAMPAIGN_CARDS
from tests.support.stamps import GIFT, card, make_campaign, settle
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

CARDS = "/v1/member/cards"
FIELDS = {
    "kind", "id", "title", "subtitle", "state", "balance", "progress", "expires_on", "detail_path"
}  # fmt: skip


async def cards_of(phone) -> list[dict]:
    answer = await phone.call("GET", CARDS)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert all(set(item) == FIELDS for item in items)
    return items


async def scan_at(client, chain: Chain, phone) -> dict:
    await phone.enrol()
    answer = await chain.till.post(client, "/v1/pos/scan", {"code": phone.code()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def scan(client, chain: Chain, phone) -> dict:
    return (await scan_at(client, chain, phone))["entitlements"]


async def link(admin, chain: Chain, username: str, member_id) -> httpx.Response:
    staff = (await admin.get("/v1/admin/staff")).json()["items"]
    id_ = next(person["id"] for person in staff if person["username"] == username.lower())
    return await admin.call("PUT", f"/v1/admin/staff/{id_}/member", {"member_id": member_id})


async def test_a_new_member_has_value_points_and_coupons_and_the_till_is_shown_nothing(client, chain, phone):
    items = await cards_of(phone)

    assert [(item["kind"], item["state"], item["balance"]) for item in items] == [
        ("stored", "active", {"unit": "fen", "amount": 0}),
        ("points", "active", {"unit": "points", "amount": 0}),
        ("coupon", "active", {"unit": "pieces", "amount": 0}),
    ]
    assert await scan(client, chain, phone) == {
        "gift_cards": [],
        "service_cards": [],
        "discount_card": None,
        "campaign_cards": [],
        "manager": False,
    }


async def test_everything_that_is_held_is_listed_and_every_detail_can_be_read(client, chain, admin, phone, clock):
    await give(phone.member_id, principal=12_300, bonus=450, points=70, points_until=clock.now().date() + timedelta(3))
    coupon = await make_template(admin, CASH | {"validity": {"days": 30}})
    await claim(phone, template_id=coupon["id"])
    plastic = await sold_card(admin, chain.till, client, 8_800, title="端午礼卡")
    gift = (await bind(phone, plastic)).json()
    campaign = await make_campaign(admin, kind="attendance", goal=3, title="签到三天", gift={"title": "签到礼"})
    await phone.call("POST", f"{CAMPAIGN_CARDS}/{campaign['id']}/check-in")
    assert (await link(admin, chain, "manager-S1", str(phone.member_id))).status_code == 200

    items = {item["kind"]: item for item in await cards_of(phone)}
    shown = await scan(client, chain, phone)

    assert [*items] == ["stored", "points", "gift", "campaign", "coupon", "manager"]
    assert items["stored"]["balance"] == {"unit": "fen", "amount": 12_750}
    assert items["stored"]["subtitle"] == "本金 ¥123，赠送 ¥4.5"
    assert items["points"]["state"] == "expiring"
    assert (items["gift"]["id"], items["gift"]["title"]) == (gift["id"], "端午礼卡")
    assert items["gift"]["subtitle"] == gift["number_masked"]
    assert items["gift"]["balance"] == {"unit": "fen", "amount": 8_800}
    assert items["campaign"]["progress"] == {"have": 1, "goal": 3}
    assert items["campaign"]["balance"] == {"unit": "stamps", "amount": 1}
    assert items["campaign"]["subtitle"] == "再集 2 个得奖励"
    assert (items["coupon"]["balance"]["amount"], items["coupon"]["subtitle"]) == (1, "1 张可用")
    assert (items["manager"]["detail_path"], items["manager"]["balance"]) == (None, None)
    for item in items.values():
        if item["detail_path"]:
            assert (await phone.call("GET", item["detail_path"])).status_code == 200, item["detail_path"]
    assert shown["gift_cards"] == [
        {
            "id": gift["id"],
            "number_masked": gift["number_masked"],
            "balance_fen": 8_800,
            "valid_until": gift["valid_until"],
        }
    ]
    assert shown["campaign_cards"] == [{"id": campaign["id"], "title": "签到三天", "have": 1, "goal": 3}]
    assert shown["manager"] is True
    await link(admin, chain, "manager-S1", None)


async def test_passes_are_listed_by_their_kind_and_the_till_is_shown_what_is_good_here(client, chain, admin, phone):
    here = await make_pass_product(admin, WASHES | {"services": ["wash"]}, title="洗车卡")
    there = await make_pass_product(admin, PARKING | {"stores": ["S2"]}, title="停车卡")
    club = await make_pass_product(admin, CLUB, title="九折卡")
    token = (await scan_at(client, chain, phone))["scan_token"]
    await buy(client, chain.till, token, *(line_of(product) for product in (here, there, club)))
    await outbox.drain()

    items = [item for item in await cards_of(phone) if item["kind"] in ("service", "discount")]
    shown = await scan(client, chain, phone)

    assert [(item["kind"], item["title"], item["subtitle"], item["balance"]) for item in items] == [
        ("discount", "九折卡", "9折，2 倍积分", None),
        ("service", "停车卡", "每天 2 次", None),
        ("service", "洗车卡", "剩 3 次", {"unit": "uses", "amount": 3}),
    ]
    for item in items:
        assert (await phone.call("GET", item["detail_path"])).status_code == 200
    wash, until = items[2], items[0]["expires_on"]
    assert shown["service_cards"] == [
        {"id": wash["id"], "title": "洗车卡", "uses_left": 3, "valid_until": wash["expires_on"], "services": ["wash"]}
    ]
    assert shown["discount_card"] == {"title": "九折卡", "discount_bp": 1_000, "valid_until": until}


async def test_what_cannot_be_used_is_listed_and_not_shown_to_the_till(client, chain, admin, phone):
    frozen = await sold_card(admin, chain.till, client, 500)
    gift = (await bind(phone, frozen)).json()
    assert (await admin.post(f"/v1/admin/gift-cards/cards/{gift['id']}/freeze", {"reason": "挂失"})).status_code == 200
    waiting = await make_campaign(admin, kind="attendance", goal=1, gift={"total": 1})
    for who in (await register(client), phone):
        await who.call("POST", f"{CAMPAIGN_CARDS}/{waiting['id']}/check-in")

    items = {item["kind"]: item for item in await cards_of(phone)}
    shown = await scan(client, chain, phone)

    assert items["gift"]["state"] == "frozen"
    assert (items["campaign"]["state"], items["campaign"]["subtitle"]) == ("waiting", "已集满，奖励待发放")
    assert shown["gift_cards"] == []
    assert shown["campaign_cards"] == [{"id": waiting["id"], "title": "集章有礼", "have": 1, "goal": 1}]


async def test_binding_a_gift_card_ticks_a_task_off(client, chain, admin, phone):
    task = {"code": "gift", "title": "绑定礼品卡", "on": "gift_card"}
    campaign = await make_campaign(admin, kind="tasks", goal=1, per_member=1, earning={"tasks": [task]})

    await bind(phone, await sold_card(admin, chain.till, client, 500))
    await settle()

    assert (await card(phone, campaign["id"]))["rewards"] == 1


async def test_a_missed_day_shows_before_the_books_say_so(client, chain, admin, phone, clock):
    campaign = await make_campaign(admin, kind="attendance", goal=3, earning={"in_a_row": True})
    await phone.call("POST", f"{CAMPAIGN_CARDS}/{campaign['id']}/check-in")
    before = [item["kind"] for item in await cards_of(phone)]

    clock.shift(timedelta(days=2))
    await log_in_again(phone)

    assert "campaign" in before
    assert "campaign" not in [item["kind"] for item in await cards_of(phone)]
    assert (await scan(client, chain, phone))["campaign_cards"] == []


async def test_a_manager_s_card_follows_the_link_and_the_login(client, chain, admin, phone, settings):
    await admin.post(
        "/v1/admin/staff",
        {"username": "temp", "password": "correct horse", "role": "manager", "store_id": "S1"},
    )
    await admin.post(
        "/v1/admin/staff",
        {"username": "clerk", "password": "correct horse", "role": "clerk", "store_id": "S1"},
    )
    member_id = str(phone.member_id)

    async def carries() -> bool:
        return "manager" in [item["kind"] for item in await cards_of(phone)]

    as_clerk = await link(admin, chain, "clerk", member_id), await carries()
    before = await fingerprint(settings)
    twice = await link(admin, chain, "temp", member_id)
    unmoved = await fingerprint(settings) == before
    unlinked = await link(admin, chain, "clerk", None)
    linked = await link(admin, chain, "temp", member_id), await carries()
    await admin.post(f"/v1/admin/staff/{linked[0].json()['id']}/close")
    closed = await carries()
    nobody = [await link(admin, chain, "temp", "4711"), await link(admin, chain, "temp", "x")]
    unknown = await admin.call("PUT", "/v1/admin/staff/4711/member", {"member_id": None})

    assert (as_clerk[0].json()["member_id"], as_clerk[1]) == (member_id, False)
    assert (twice.status_code, twice.json()["code"], unmoved) == (409, "already_exists", True)
    assert unlinked.json()["member_id"] is None
    assert (linked[0].status_code, linked[1], closed) == (200, True, False)
    assert [answer.status_code for answer in nobody] == [422, 422]
    assert unknown.status_code == 404


async def test_a_scan_reads_all_that_is_carried_at_once(client, chain, admin, phone, monkeypatch):
    await give_coupon(admin, phone, GIFT)
    await scan(client, chain, phone)  # what a process keeps in mind is known
    await auth.is_manager(phone.member_id)
    asked = []
    read = db._read

    async def counted(method, sql, args):
        asked.append(sql)
        return await read(method, sql, args)

    await phone.enrol()
    body = {"code": phone.code()}
    monkeypatch.setattr(db, "_read", counted)
    answer = await chain.till.post(client, "/v1/pos/scan", body)

    assert answer.status_code == 200
    assert asked[:2] == [CARDHOLDERS, CARRIED]
    assert len(asked) == 3  # and the coupon, which is here: what it was issued with
