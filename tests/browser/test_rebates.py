"""Head office tries a scheme of rebates, finance closes and pays a month, a member reads it on the phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.async_api import expect

from backend.kernel import db
from backend.rebates.commands import clockwork
from tests.browser.actors import Member
from tests.browser.desk import console
from tests.browser.shop import ask, there
from tests.browser.test_console_notices import look, shoot
from tests.browser.test_phone_notices import look as look_at_phone
from tests.browser.test_phone_notices import shoot as shoot_phone
from tests.support.rebates import plant_purchase, this_month, work

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_scheme_is_tried_and_a_month_is_closed_paid_and_read(chromium, server, chain, admin, phone: Member):
    member_id = int((await ask(phone, "GET", "/v1/member/profile"))["id"])
    last = (this_month() - timedelta(days=1)).replace(day=1)
    await plant_purchase(member_id, last + timedelta(days=4), 120_000)
    await plant_purchase(member_id, this_month(), 30_000)

    async with console(chromium, server, "#/rebates") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.sees("还没有返利方案", "还没有批次")
        await screen.button("新建方案").click()
        await screen.field("名称").fill("月度返利")
        await screen.field("档位（每行：满多少元 返百分之几，如 1000 2.5；从 0 起写 0）").fill("0 2\n1000 5")
        await screen.button("保存").click()
        await expect(page.get_by_role("cell", name="月度返利", exact=True)).to_be_visible()
        await screen.button("试算 月度返利").click()
        await page.get_by_role("dialog").get_by_role("button", name="试算").click()
        await screen.sees("计算中")
        await work()
        await screen.sees("完成", "¥30.00", "第 2 档")
        await look(screen)
        await shoot(screen, "console-rebate-simulation")
        await page.get_by_role("link", name="返回").click()
        await screen.button("启用 月度返利").click()
        await screen.sees("生效中")
        await db.pool().execute("UPDATE rebate_scheme SET first_on = $1", last)  # as if it had begun then
        await look(screen)
        await shoot(screen, "console-rebates")
        await screen.button("生成对账单").click()
        await page.get_by_role("dialog").get_by_role("button", name="生成对账单").click()
        await screen.sees("计算中")
        await work()
        await screen.sees("待确认", "1 份，¥30.00")
        await screen.button("确认对账单").click()
        await page.get_by_role("dialog").get_by_role("button", name="确认对账单").click()
        await screen.sees("已确认")
        await screen.button("发放", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="发放").click()
        await screen.sees("发放中")
        await work()
        await clockwork.roll_up()
        await screen.sees("已发放", "0 份，¥0.00", "1 份，¥30.00")
        await look(screen)
        await shoot(screen, "console-rebate-run")
        await page.goto(f"{server.base_url}/admin#/rebate-report")
        await screen.sees("返利报表", "未使用", "¥30.00", "S1")
        await look(screen)
        await shoot(screen, "console-rebate-report")

    await there(phone, "rebates")
    await phone.sees("可用返利", "¥30.00", "月度返利", "已累计 ¥300.00", "再消费 ¥700.00 达到返 5%", "已发放")
    await look_at_phone(phone)
    await shoot_phone(phone, "phone-rebates")
    await phone.page.get_by_text("已发放").click()
    await phone.sees("返利对账单", "本期应返", "第 2 档，5%", "¥1,200.00", "下载对账单（PDF）")
    await look_at_phone(phone)
    await shoot_phone(phone, "phone-rebate")
