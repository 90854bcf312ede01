"""The lists of gifts: by an index however many were redeemed, and the report adds them up."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook

from backend.gifts.queries import Wanted, statement
from backend.kernel import clock as time
from tests.support import kept
from tests.support.gifts import GOODS, MINE, REDEMPTIONS, STORED, make_gift, redeemed
from tests.support.mall import put
from tests.support.value import give

REPORT = "/v1/admin/reports/gifts"


def span() -> str:
    today = time.local_date(time.now(), "Asia/Shanghai")
    return f"from={today}&to={today}"


async def test_the_report_tells_what_was_redeemed_and_what_it_cost(admin, manager, stranger, phone, chain, client):
    await put("S1", "6902", 4, 3_000)
    await give(phone.member_id, points=2_000)
    goods, value = await make_gift(admin, GOODS, title="报表苹果"), await make_gift(admin, STORED, title="报表余额")
    fetched, given_up = await redeemed(phone, goods), await redeemed(phone, goods)
    await redeemed(phone, goods)
    await redeemed(phone, value)
    path = f"/v1/pos/gift-pickups/{fetched['id']}/handover"
    assert (await chain.till.post(client, path, {"code": fetched["code"]})).status_code == 200
    await phone.call("POST", f"{MINE}/{given_up['id']}/cancel")

    all_of_it = (await admin.get(f"{REPORT}?{span()}")).json()["items"]
    mine = (await manager.get(f"{REPORT}?{span()}")).json()["items"]
    theirs = (await stranger.get(f"{REPORT}?{span()}")).json()["items"]
    book = await admin.get(f"{REPORT}/file?{span()}&format=xlsx")
    chart = await admin.get(f"{REPORT}/chart?{span()}")
    wrong = await admin.get(f"{REPORT}?from=2026-01-02&to=2026-01-01")

    told = {one["title"]: one for one in all_of_it}
    apples = {name: told["报表苹果"][name] for name in ("redeemed", "undone", "waiting", "points", "store_id")}
    assert apples == {"redeemed": 3, "undone": 1, "waiting": 1, "points": 200, "store_id": "S1"}
    assert 0 < told["报表苹果"]["cost_fen"] <= 3_000
    assert (told["报表余额"]["cost_fen"], told["报表余额"]["points"]) == (1_000, 900)
    assert "报表余额" not in {one["title"] for one in mine}
    assert theirs == []
    rows = list(load_workbook(io.BytesIO(book.content)).active.iter_rows(values_only=True))
    assert (rows[0][1], rows[-1][0], rows[-1][3]) == ("礼品", "合计", sum(one["redeemed"] for one in all_of_it))
    assert "报表余额" in chart.text
    assert wrong.json()["errors"][0]["pointer"] == "/query/to"


async def test_pages_follow_each_other_and_narrow(admin, manager, phone):
    await put("S1", "6902", 9, 6_750)
    await give(phone.member_id, points=500)
    gift = await make_gift(admin, GOODS)
    made = [(await redeemed(phone, gift))["id"] for _ in range(3)]
    await phone.call("POST", f"{MINE}/{made[0]}/cancel")

    async def pages(who, path, limit):
        found, cursor = [], ""
        while True:
            page = (await who.get(f"{path}&limit={limit}{cursor}")).json()
            found += [one["id"] for one in page["items"]]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    assert await pages(admin, f"{REDEMPTIONS}?gift_id={gift['id']}", 1) == made[::-1]
    assert await pages(manager, f"{REDEMPTIONS}?gift_id={gift['id']}&open_only=true", 1) == made[:0:-1]
    assert await pages(admin, f"{REDEMPTIONS}?member_id={phone.member_id}&status=cancelled", 2) == made[:1]
    assert (await admin.get(f"{REDEMPTIONS}?cursor=x")).status_code == 422


@pytest.fixture
async def many(settings, chain):
    owner = await kept.connection(settings, "huiyuan_owner")
    await owner.execute(
        "INSERT INTO gifts_redemption (member_id, id, gift_id, kind, way, state, title, points, pay_fen, sku, store_id,"
        " place_id, digest, due_on, at) SELECT n % 2000, 'M' || n, 'GF' || n % 50, 'goods', 'pickup',"
        " CASE WHEN n % 100 = 0 THEN 'waiting' ELSE 'handed_over' END, 'x', 1, 0, '6902', 'S' || n % 40,"
        " 'S' || n % 40, 'd' || n, current_date, now() - n * interval '1 minute' FROM generate_series(1, 40000) AS n"
    )
    await owner.execute("ANALYZE gifts_redemption")
    yield owner
    await owner.execute("DELETE FROM gifts_redemption WHERE id LIKE 'M%'")


async def test_each_list_of_staff_goes_by_an_index(many):
    place = (time.now() - timedelta(days=3), "1")
    for wanted in (
        Wanted(),
        Wanted(open_only=True),
        Wanted(gift_id="GF7"),
        Wanted(place_ids=["S7"]),
        Wanted(place_ids=["S7", "W7"], open_only=True),
        Wanted(member_id=7),
    ):
        for before in (None, place):
            sql, args = statement(wanted, before, 50)
            plan = "\n".join(row[0] for row in await many.fetch(f"EXPLAIN {sql}", *args))
            assert "Seq Scan" not in plan, (wanted, plan)
