"""The contact card in Chromium: found by scanner, paste, keyboard and a ringing telephone, all of it on one screen."""

from __future__ import annotations

import pytest_asyncio
from playwright.async_api import expect

from backend.audience.commands import purchases
from backend.kernel import db, guessing, outbox
from tests.browser.desk import TABLET, console
from tests.browser.looks import faint_texts, small_targets
from tests.support.coupons import give_coupon
from tests.support.members import random_phone, register
from tests.support.value import give

SCAN = """(text) => {
  for (const key of [...text, "Enter"]) {
    const target = document.activeElement || document.body;
    if (target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }))) {
      if (key === "Enter") target.form?.requestSubmit();
      else if ("value" in target) target.value += key;
    }
  }
}"""
"""What a hand scanner does: fast keys, then Enter, wherever the focus is."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def number() -> str:
    return random_phone()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def somebody(server, chain, admin, number):
    """王小明 of store S1, with money, a coupon, and purchases."""
    guessing.forget()
    phone = await register(admin.client, phone=number)
    await give(phone.member_id, principal=50_000, bonus=1_000, points=80)
    await give_coupon(admin, phone)
    for _ in range(4):
        await phone.enrol()
        lines = [{"sku": "6901", "qty": 2, "unit_price_fen": 200}, {"sku": "6902", "qty": 1, "unit_price_fen": 1250}]
        sold = await chain.till.sell(admin.client, phone.code(), lines=lines, tenders=[{"type": "cash"}])
        assert sold.status_code == 201, sold.text
    await outbox.drain()
    await purchases.count_due()
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE member SET store_id = 'S1' WHERE id = $1", phone.member_id)
    return phone


async def test_a_scan_anywhere_finds_who_stands_there_and_all_of_it_fits(chromium, server, chain, somebody):
    await somebody.enrol("scanned")
    async with console(chromium, server, "#/contact") as screen:
        await screen.log_in("admin")
        await screen.sees("查一位会员")
        await screen.page.evaluate("document.activeElement.blur()")
        await screen.page.evaluate(SCAN, somebody.code())
        await screen.sees("王小明", "¥510.00", "最近消费", "常购商品", "纯净水", "没有待处理的来往")

        room = await screen.page.evaluate(
            "(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.getElementById('stage'))"
        )
        assert room <= 0
        assert await screen.page.evaluate("location.hash") == f"#/contact?member={somebody.member_id}"
        assert await faint_texts(screen.page) == []
        await screen.page.reload()
        await screen.sees("王小明")
        await screen.page.keyboard.press("/")
        await expect(screen.page.get_by_role("textbox", name="查找会员")).to_be_focused()


async def test_a_ringing_telephone_opens_the_card_and_its_number_stays_nowhere(
    chromium, server, chain, somebody, number
):
    async with console(chromium, server, f"#/contact?phone=%2B86{number}") as screen:
        asked = []
        screen.page.on("request", lambda request: asked.append(request.url))
        await screen.log_in("admin")
        await screen.sees("王小明")
        there = await screen.page.evaluate("[location.href, ...Object.values({ ...sessionStorage, ...localStorage })]")
        await screen.go("会员列表")
        await screen.page.go_back()
        await screen.sees("最近消费")

        assert not [text for text in [*there, *asked, screen.page.url] if number in text]


async def test_what_is_pasted_finds_and_what_finds_nobody_says_what_to_do(chromium, server, chain, somebody):
    async with console(chromium, server, "#/contact", TABLET, dark=True) as screen:
        await screen.log_in("manager-S1")
        await screen.sees("查一位会员")
        await screen.page.evaluate(
            """(text) => {
              document.activeElement.blur();
              const clipboardData = new DataTransfer();
              clipboardData.setData("text", text);
              const pasted = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
              document.body.dispatchEvent(pasted);
            }""",
            somebody.member["member_no"],
        )
        await screen.sees("王小明", "仅本店")
        assert await faint_texts(screen.page) == []
        assert [text for text in await small_targets(screen.page) if "跳到内容" not in text] == []

        await screen.page.get_by_role("textbox", name="查找会员").fill(random_phone())
        await screen.page.keyboard.press("Enter")
        await screen.sees("没有找到这位会员")
        await screen.page.get_by_role("textbox", name="查找会员").fill("王小明")
        await screen.page.keyboard.press("Enter")
        await screen.sees("这不是会员码、手机号、会员号或微信标识")


async def test_a_manager_freezes_and_unfreezes_from_the_card(chromium, server, chain, somebody):
    async with console(chromium, server, f"#/contact?member={somebody.member_id}") as screen:
        await screen.log_in("manager-S1")
        await screen.button("冻结", exact=True).click()
        await screen.dialog("冻结 王小明？").get_by_role("button", name="冻结").click()
        await screen.sees("已冻结")
        await screen.button("解冻", exact=True).click()
        await screen.sees("正常")
