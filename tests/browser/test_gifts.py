"""Gifts for points, from the catalogue to the counter: offered, redeemed on a phone, handed over at till and desk."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from tests.browser.actors import TILL, Cashier, open_screen
from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import *  # noqa: F403 - fixtures, by name
from tests.browser.shop import APPLE, ask, known_member, there
from tests.support.gifts import GIFTS, GOODS, STORED, make_gift
from tests.support.value import findings, give

DEAR, PIN = 20_100, "246813"
"""Points that are worth more than goes without the PIN."""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def look(page):
    """Nothing is too faint or too small; the skip link is out of sight."""
    assert await faint_texts(page) == []
    assert [text for text in await small_targets(page) if "跳到内容" not in text] == []


async def shoot(page, name):
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_a_gift_is_offered_redeemed_and_handed_over_once(chromium, server, chain, admin):
    async with console(chromium, server, "#/gifts") as screen:
        await screen.log_in("admin")
        await screen.button("新建实物").click()
        await screen.field("名称").fill("苹果一份")
        await screen.page.get_by_role("dialog").get_by_label("积分 *").fill("100")
        await screen.field("商品编号").fill("nothing")
        await screen.button("保存").click()
        await screen.sees("there is no such article")
        await screen.field("商品编号").fill(APPLE)
        await screen.field("一共几件").fill("5")
        await screen.button("保存").click()
        await screen.button("上架 苹果一份").click()
        await expect(screen.page.get_by_role("cell", name="已上架")).to_be_visible()
        await shoot(screen.page, "console-gifts")
        await look(screen.page)
    await make_gift(admin, STORED, title="十元余额")
    await make_gift(admin, GOODS, title="限量礼盒", points=99_999)

    async with known_member(chromium, server) as phone:
        mine = int((await ask(phone, "GET", "/v1/member/profile"))["id"])
        await give(mine, points=350)
        await there(phone, "gift-shop")
        await phone.sees("可用积分", "350", "苹果一份", "100 积分", "十元余额", "积分不足")
        await shoot(phone.page, "phone-gifts")
        await phone.button("只看可兑换").click()
        await expect(phone.page.get_by_text("限量礼盒")).to_have_count(0)
        await look(phone.page)
        await phone.page.get_by_text("苹果一份").click()
        await phone.sees("南京路店", "暂时无货：徐家汇店", "还剩 5 件", "兑换后 7 天内到店领取")
        await shoot(phone.page, "phone-gift")
        await look(phone.page)
        await phone.button("增加 苹果一份").click()
        await phone.sees("200 积分")
        await phone.page.locator("#redeem").click()
        await phone.sees("确认兑换“苹果一份 ×2”？", "将使用 200 积分")
        await phone.page.get_by_role("dialog").get_by_role("button", name="立即兑换").click()
        await phone.sees("到店向店员出示", "待领取")
        await shoot(phone.page, "phone-gift-code")
        await look(phone.page)
        code = (await phone.page.locator("#gift-code").inner_text()).replace(" ", "")
        async with open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as counter:
            await counter.enter_terminal(chain.till.terminal_id, chain.till.secret, "小李")
            await counter.scan(code)
            await counter.sees("苹果一份", "积分礼品", "待取货")
            await shoot(counter.page, "pos-gift")
            assert await faint_texts(counter.page) == []
            await counter.page.keyboard.press("F9")
            await counter.sees("已交给王**，共 2 件")
            await counter.scan(code)
            await counter.sees("这件礼品已经领走了")
            assert counter.broken == []
        await phone.sees("已领取")

        await there(phone, "gift-shop")
        await phone.page.get_by_text("苹果一份").click()
        await phone.page.locator("#redeem").click()
        (apples,) = [gift for gift in (await admin.get(GIFTS)).json()["items"] if gift["title"] == "苹果一份"]
        dearer = {name: apples[name] for name in (*GOODS, "total", "version")} | {"points": DEAR}
        assert (await admin.call("PUT", f"{GIFTS}/{apples['id']}", dearer)).status_code == 200
        await give(mine, points=DEAR)
        assert await ask(phone, "PUT", "/v1/member/pin", {"pin": PIN}) is None
        await phone.page.get_by_role("dialog").get_by_role("button", name="立即兑换").click()
        await phone.sees("价格有变化：原 100 积分，现 20,100 积分。请核对后再兑换")
        await shoot(phone.page, "phone-gift-price")
        await look(phone.page)
        await phone.page.locator("#redeem").click()
        await phone.page.get_by_role("dialog").get_by_role("button", name="立即兑换").click()
        await phone.sees("请输入 6 位支付密码", "20,100 积分")
        await shoot(phone.page, "phone-gift-pin")
        await phone.page.keyboard.type(PIN)
        await phone.sees("到店向店员出示")
        second = (await phone.page.locator("#gift-code").inner_text()).replace(" ", "")
        async with console(chromium, server, "#/gift-redemptions") as desk:
            await desk.log_in("manager-S1")
            await desk.sees("待领取", "苹果一份")
            await desk.button("凭码交付").click()
            await desk.field("领取码（G 加 10 位数字）").fill("G0000000000")
            await desk.page.get_by_role("dialog").get_by_role("button", name="凭码交付").click()
            await desk.sees("No gift waits in this store under that code")
            await desk.field("领取码（G 加 10 位数字）").fill(second)
            await desk.page.get_by_role("dialog").get_by_role("button", name="凭码交付").click()
            await desk.sees("王**：苹果一份")
            await desk.button("确认交付").click()
            await desk.sees("已交付", "没有兑换记录")
            await desk.page.get_by_role("link", name="全部").click()
            await desk.sees("已领取")
            await shoot(desk.page, "console-gift-redemptions")
            await look(desk.page)
            await desk.page.goto(f"{server.base_url}/admin#/gift-report")
            await desk.sees("积分兑换报表", "300")
            await shoot(desk.page, "console-gift-report")
            await look(desk.page)
        await there(phone, "gift-orders")
        await phone.sees("苹果一份", "已领取")
        await shoot(phone.page, "phone-gift-orders")
        await look(phone.page)
    assert await findings(server.settings) == []
