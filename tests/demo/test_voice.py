"""The demo's announcements, handbook and care: written and run as staff and the clock would."""

from __future__ import annotations

import httpx

from backend.demo import care, notices
from backend.demo.load import _load_chain
from backend.kernel import db
from backend.notices import queries
from tests.support.members import register


async def test_the_chain_tells_something_and_the_handbook_answers(client: httpx.AsyncClient, settings):
    await _load_chain()
    phone = await register(client)

    for _ in range(2):  # cut short and begun again it is there once
        await notices.load()

    told = (await phone.call("GET", "/v1/member/announcements")).json()
    assert [item["title"] for item in told["items"]] == ["每月 18 日双倍积分", "门店营业时间调整"]
    assert [item["title"] for item in (await phone.call("GET", "/v1/member/handbook")).json()["items"]] == [
        "会员与积分", "积分怎么来、怎么用", "会员等级", "购物与售后", "退货与换货", "配送与自提",
    ]  # fmt: skip
    assert (await queries.search_handbook("怎么退货", 1))[0].title == "退货与换货"
    assert (await queries.search_handbook("开店", 1, staff=True))[0].title == "开店与打烊"


async def test_care_has_a_past_that_is_judged_and_runs_today(client: httpx.AsyncClient, settings):
    for _ in range(3):
        phone = await register(client)
        await db.fetchval(
            "UPDATE member SET created_at = now() - interval '75 days', store_id = 'S001' WHERE id = $1 RETURNING 1",
            phone.member_id,
        )

    await care.load()

    rows = await db.fetch(
        "SELECT state, judged_at IS NOT NULL AS judged FROM care_task WHERE made_on < current_date - 20"
    )
    assert {(row["state"] in ("sent", "held_out"), row["judged"]) for row in rows} == {(True, True)}
    assert len(rows) == 3
    assert await db.fetchval("SELECT count(*) FROM care_run WHERE done_at IS NULL") == 0
