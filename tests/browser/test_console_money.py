"""Finance looks at what WeChat's bill and the books do not agree on, resolves it, and asks for a settlement."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.async_api import expect

from backend.kernel import clock, db
from tests.browser.desk import console
from tests.browser.test_console_notices import look, shoot
from tests.support.members import register
from tests.support.reconciliation import make_difference

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_difference_is_taken_resolved_and_gone_from_the_list(chromium, server, chain, admin):
    await make_difference("FAIR-TILL-9")

    async with console(chromium, server, "#/bills") as screen:
        await screen.log_in("admin")
        await screen.sees("微信有、本方无", "¥1.00")
        await look(screen)
        await shoot(screen, "console-bills")
        await screen.page.get_by_role("row").filter(has_text="微信有、本方无").click()
        await screen.button("由我处理").click()
        await screen.sees("处理中")
        await screen.button("处理完毕").click()
        await screen.sees("必填")
        await screen.page.get_by_label("结果").select_option(label="其他系统的交易")
        await screen.page.get_by_label("说明").fill("集市的收款码")
        await screen.button("处理完毕").click()
        await screen.sees("已处理", "集市的收款码")
        await look(screen)
        await shoot(screen, "console-difference")
        await screen.page.get_by_role("link", name="返回").click()
        await screen.sees("没有待处理的差异")

    (found,) = (await admin.get("/v1/admin/reconciliation/differences?waiting=false")).json()["items"]
    assert (found["state"], found["resolution"], found["staff"]) == ("resolved", "other_system", "admin")


async def test_what_stores_owe_is_shown_and_asked_to_be_settled(chromium, server, chain, admin):
    phone = await register(admin.client)
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE clearing_backfill SET done = true")
        await db.raw(tx).execute(
            "INSERT INTO clearing_line (member_id, document_id, lot_id, day, from_store, to_store, part, fen)"
            " VALUES ($1, 'S-1', 1, $2, 'S1', 'S2', 'principal', 70000)",
            phone.member_id,
            clock.local_date(clock.now(), "Asia/Shanghai") - timedelta(days=2),
        )

    async with console(chromium, server, "#/clearing") as screen:
        await screen.log_in("admin")
        await screen.sees("各店应收应付", "−¥700.00", "¥700.00")
        await look(screen)
        await shoot(screen, "console-clearing")
        await screen.button("提出结算").click()
        await screen.dialog("提出结算").get_by_label("说明").fill("十一月")
        await screen.dialog("提出结算").get_by_role("button", name="提出结算").click()
        await screen.sees("已提出，等待另一人批准")
        await expect(screen.page.get_by_role("dialog")).to_have_count(0)

    (asked,) = (await admin.get("/v1/admin/approvals?mine=true")).json()["items"]
    assert (asked["kind"], asked["state"]) == ("clearing_settlement", "waiting")
    assert date.fromisoformat(asked["body"]["to_on"]) < clock.local_date(clock.now(), "Asia/Shanghai")
