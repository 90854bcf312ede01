"""Tills as staff and members see them: shifts and their differences, discounts, authorisation; a till's question."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import console
from tests.browser.looks import faint_texts
from tests.browser.shop import known_member
from tests.browser.test_console_notices import look, shoot
from tests.support.members import register
from tests.support.overrides import cut, manager_phone, put_limit, sell_cut
from tests.support.shifts import close_shift, open_shift
from tests.support.staff import log_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_difference_is_explained(chromium, server, chain, admin):
    await open_shift(admin.client, chain.till)
    await close_shift(admin.client, chain.till, 9_950)

    async with console(chromium, server, "#/shifts") as screen:
        await screen.log_in("admin")
        await screen.sees("S1-T1", "小李", "待处理")
        await look(screen)
        await shoot(screen, "console-shifts")
        await screen.page.get_by_role("row").filter(has_text="待处理").click()
        await screen.sees("应有", "¥100.00", "¥99.50")
        await look(screen)
        await shoot(screen, "console-shift")
        await screen.button("说明差异").click()
        await screen.page.get_by_role("textbox", name="说明").fill("找零出错")
        await screen.dialog("说明差异").get_by_role("button", name="保存").click()
        await screen.sees("已说明", "找零出错")

    (found,) = (await admin.get("/v1/admin/shifts?state=closed")).json()["items"]
    assert found["difference"] == "explained"


async def test_a_rule_is_made_and_put_in_force_and_what_was_authorised_is_shown(chromium, server, chain, admin):
    await put_limit(admin)
    await put_limit(admin, "cashier", sale_bp=500, sale_fen=5_000, day_fen=0, day_count=0)
    boss = await manager_phone(admin.client, await log_in(admin.client, chain, "manager-S1"))
    sold = await sell_cut(admin.client, chain.till, await register(admin.client), boss, cashier="小李")
    assert sold.status_code == 201, sold.text

    async with console(chromium, server, "#/discounts") as screen:
        await screen.log_in("admin")
        await screen.sees("还没有折扣规则")
        await screen.button("新建折扣").click()
        await screen.page.get_by_label("名称").fill("店庆八折")
        await screen.page.get_by_label("折（如 8").fill("8")
        await screen.dialog("新建折扣").get_by_role("button", name="保存").click()
        await screen.sees("店庆八折", "8 折", "草稿")
        await screen.button("启用").click()
        await screen.sees("生效中")
        await look(screen)
        await shoot(screen, "console-discounts")
        await screen.page.goto(f"{server.base_url}/admin#/overrides")
        await screen.sees("授权额度", "manager-s1", "¥30.00 / ¥100.00", "商品瑕疵：外盒破损")
        await look(screen)
        await shoot(screen, "console-overrides")

    (rule,) = (await admin.get("/v1/admin/discount-rules")).json()["items"]
    assert (rule["state"], rule["terms"]["rate_bp"]) == ("active", 2_000)


async def test_a_till_asks_the_phone_and_a_login_is_bound_and_authorises(chromium, server, chain, admin):
    await put_limit(admin)
    await put_limit(admin, "cashier", sale_bp=500, sale_fen=5_000, day_fen=0, day_count=0)
    manager = await log_in(admin.client, chain, "manager-S2")
    ticket = (await manager.post("/v1/admin/me/phone", {"current": "correct horse"})).json()["ticket"]
    async with known_member(chromium, server) as member:
        asked = await chain.till.post(admin.client, "/v1/pos/identities", {"phone": member.number})
        await member.sees("收银台身份确认", "南京路店 的收银台请求确认您的会员身份")
        await member.button("是我，仅积分").click()
        await member.sees("已确认")
        found = await chain.till.get(admin.client, f"/v1/pos/identities/{asked.json()['id']}")

        await member.page.evaluate("location.hash = '#/staff-phone'")
        await member.page.locator("#staff-ticket").fill(ticket)
        await member.page.keyboard.press("Enter")
        await member.sees("已绑定员工账户 manager-s2")

        await expect(member.page.locator("#authorise-number")).to_be_visible()
        await member.sees("员工账户 manager-s2")
        assert await faint_texts(member.page) == []
        code = "".join((await member.page.locator("#authorise-number").inner_text()).split())
        body = cut(10_000, 3_000) | {"code": (await register(admin.client)).code()}
        given = {"override": {"code": code, "reason": "damaged"}}
        sold = await chain.tills["S2"][0].post(admin.client, "/v1/pos/sales", body | given)
        assert sold.status_code == 201, sold.text
        await member.sees("已授权 ¥30.00", sold.json()["order_no"])

    assert (found.json()["state"], found.json()["rights"]) == ("confirmed", "earn")
    assert (await manager.get("/v1/admin/me/phone")).json()["bound_at"] is not None
