"""Member cards and the PIN pad at the POS page, in Chromium, by scanner and keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.actors import TILL, Cashier, open_screen
from tests.browser.looks import faint_texts
from tests.browser.test_console_notices import shoot
from tests.support.membercards import held, make_batch, make_store, make_type, move, numbers
from tests.support.members import register
from tests.support.races import codes_of
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIN = "135790"


@pytest_asyncio.fixture(loop_scope="session")
async def counter(chromium, server, chain) -> AsyncIterator[Cashier]:
    """A cashier at an empty till."""
    async with open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as screen:
        await screen.enter_terminal(chain.till.terminal_id, chain.till.secret, "小李")
        yield screen
        assert screen.broken == []


async def menu(counter: Cashier, name: str) -> None:
    """Choose by hand: a digit that is typed right before a scan would be read as a part of it."""
    await counter.page.keyboard.press("F11")
    await counter.page.locator(f"#till-{name}").click()


async def test_a_card_is_given_lost_replaced_shown_and_brought_back_and_a_pin_is_typed(counter, client, admin, server):
    batch = await make_batch(admin, await make_type(admin, name="银杏卡", deposit_fen=1_000, fee_fen=500), 2)
    assert (await move(admin, batch, 1, 2, to=await make_store(admin, "S1"))).status_code == 201
    old, new = await numbers(batch)
    phone = await register(client)
    for_scan, for_pin = await codes_of(phone, 2)
    page = counter.page

    await menu(counter, "member_card")
    await counter.sees("先识别会员")
    await counter.scan(for_scan)
    await expect(page.locator("#member-name")).to_be_visible()
    await menu(counter, "member_card")
    await counter.sees("该会员还没有会员卡")
    await counter.scan("9" * 16)
    await counter.sees("不是可用的会员卡")
    await counter.scan(old)
    await counter.sees("发卡：银杏卡", "押金", "¥10.00")
    await shoot(counter, "pos-member-card")
    assert await faint_texts(page) == []
    await page.keyboard.press("Enter")
    await counter.sees(f"已发卡 ****{old[-4:]}，已收 ¥10.00")

    await menu(counter, "member_card")
    await page.locator("#mcard-lost").click()
    await counter.dialog("挂失").get_by_role("button", name="挂失").click()
    await counter.sees(f"卡 ****{old[-4:]} 已挂失")
    await counter.button("现在补卡").click()
    await expect(page.locator("#mcard-number")).to_be_focused()
    await counter.scan(new)
    await counter.sees("补卡：换成 银杏卡", "补卡工本费", "¥5.00")
    await page.locator("#mcard-go").click()
    await counter.sees(f"已补卡 ****{new[-4:]}，已收 ¥5.00")

    await menu(counter, "pin")
    await expect(page.locator("#pin-code")).to_be_focused()
    await counter.scan(for_pin)
    await page.locator("#pin-new").fill(PIN)
    await expect(page.locator("#pin-again")).to_be_focused()
    await page.locator("#pin-again").fill("000000")
    await page.keyboard.press("Enter")
    await counter.sees("两次输入不一致")
    await shoot(counter, "pos-pin-pad")
    assert await faint_texts(page) == []
    await page.locator("#pin-again").fill(PIN)
    await page.keyboard.press("Enter")
    await counter.sees("支付密码已设置")

    await page.locator("#member-change").click()
    await counter.scan(new)
    await page.locator("#identify-pin").fill(PIN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#member-name")).to_be_visible()
    await menu(counter, "member_card")
    await expect(page.locator("#mcard-number")).to_be_focused()
    await counter.scan(new)
    await counter.button("退卡并退押金 ¥10.00").click()
    await counter.dialog("退卡").get_by_role("button", name="退卡", exact=True).click()
    await counter.sees(f"已退卡 ****{new[-4:]}，请退还 ¥10.00")

    assert await held(phone.member_id) == [(old, "replaced"), (new, "void")]
    assert await findings(server.settings) == []
