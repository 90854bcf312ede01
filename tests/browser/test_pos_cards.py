"""Cards at the POS page, in Chromium: gift cards are loaded and pay with their PIN, with and without a member."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.actors import TILL, Cashier, open_screen
from tests.browser.looks import faint_texts
from tests.support.gift_cards import Plastic, bind, bound_card, cards_of, make_cards, sold_card
from tests.support.members import register
from tests.support.passes import WASHES, buy, line_of, make_pass_product, passes_of, scan
from tests.support.seed import Chain, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATER, APPLES = "690000000001", "690000000002"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def counter(chromium, server, chain) -> AsyncIterator[Cashier]:
    """A cashier at an empty till."""
    async with open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as screen:
        await screen.enter_terminal(chain.till.terminal_id, chain.till.secret, "小李")
        yield screen
        assert screen.broken == []


async def show_card(counter: Cashier, card: Plastic) -> None:
    """F1, the card's bar code, and its PIN."""
    await counter.page.keyboard.press("F1")
    await expect(counter.dialog("礼品卡付款")).to_be_visible()
    await counter.scan(card.number)
    await expect(counter.page.locator("#gift-pin")).to_be_focused()
    await counter.page.keyboard.type(card.pin)
    await counter.page.keyboard.press("Enter")


async def test_a_card_is_loaded_and_pays_without_a_member(counter, admin, server):
    (card,) = await make_cards(admin)
    page = counter.page
    await counter.button("礼品卡", exact=True).click()
    await counter.button("激活新卡").click()
    await counter.scan(card.number)
    await page.keyboard.type("10")
    await page.keyboard.press("Enter")
    await counter.sees("已激活，金额 ¥10.00")

    await counter.ring_up([WATER, APPLES])
    await show_card(counter, card)
    await expect(counter.dialog("散客礼品卡收款")).to_contain_text("¥14.50")
    await expect(page.locator("#gift-amount")).to_have_value("10.00")
    await page.keyboard.press("Enter")

    await counter.sees("收款成功", "请另收现金", "¥4.50", "卡内余额", "¥0.00")
    await counter.button("退回卡内").click()
    await counter.sees("已退回 ¥10.00，卡内余额 ¥10.00")
    assert await findings(server.settings) == []


async def test_a_members_sale_is_paid_by_gift_cards_and_the_rest_by_keyboard(counter, admin, client, chain, server):
    phone = await register(client)
    await give(phone.member_id, principal=5_000)
    own, shown = await bound_card(admin, chain.till, phone, 500), await sold_card(admin, chain.till, client, 400)
    page = counter.page
    await counter.ring_up([WATER, APPLES])
    await counter.scan(phone.code())
    await expect(page.locator("#cards")).to_contain_text(f"礼品卡 {own['number_masked'][-4:]}¥5.00")

    await page.keyboard.press("F1")
    await expect(page.locator("#amount-gift_card")).to_have_value("5.00")
    await show_card(counter, shown)
    await expect(page.locator("#amount-gift_card")).to_have_value("9.00")
    await expect(page.locator("#amount-stored")).to_have_value("5.50")
    await page.emulate_media(color_scheme="dark")
    assert await faint_texts(page) == []
    await page.keyboard.press("F9")

    await counter.sees("收款成功", f"礼品卡 {own['number_masked'][-4:]}", f"礼品卡 {shown.number[-4:]}", "¥5.50")
    order_no = await page.locator("#result .result-head .num").inner_text()
    await page.keyboard.press("Enter")
    await counter.find_sale(order_no)
    await counter.button("全选").click()
    await page.get_by_role("radio", name="顾客不想要了").check(force=True)
    await page.keyboard.press("F9")
    await counter.sees("退款成功", "¥5.00", "¥4.00", "¥5.50")
    assert (await bind(phone, shown)).status_code == 201
    assert sorted(card["balance_fen"] for card in await cards_of(phone)) == [400, 500]
    assert await findings(server.settings) == []


async def test_a_service_card_is_sold_used_by_keyboard_and_taken_back(counter, admin, client, chain, server):
    product = await make_pass_product(admin, WASHES | {"services": ["普洗", "精洗"]})
    phone = await register(client)
    token = (await scan(client, chain.till, phone))["scan_token"]
    await buy(client, chain.till, token, line_of(product))
    await phone.enrol()
    page = counter.page
    await counter.scan(phone.code())
    card = page.locator("#cards button", has_text="洗车三次卡")
    await expect(card).to_contain_text("剩 3 次")

    await page.keyboard.press("F10")
    await expect(card).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Space")
    await counter.button("加一次").click()
    await counter.button("核销 2 次").press("Enter")
    await counter.sees("洗车三次卡 已核销 2 次")
    await expect(card).to_contain_text("剩 1 次")
    assert (await passes_of(phone))[0]["uses_left"] == 1
    await counter.button("撤销", exact=True).click()

    await counter.sees("洗车三次卡 的核销已撤销")
    await expect(card).to_contain_text("剩 3 次")
    assert (await passes_of(phone))[0]["uses_left"] == 3
    assert await findings(server.settings) == []


async def test_a_wrong_pin_says_so_where_it_was_typed(counter, admin, client, chain):
    card = await sold_card(admin, chain.till, client, 900)
    await show_card(counter, Plastic(card.number, "000000" if card.pin != "000000" else "111111"))

    await expect(counter.dialog("礼品卡付款")).to_contain_text("卡号或卡密不正确")
    await counter.page.keyboard.type(card.pin)
    await counter.page.keyboard.press("Enter")
    await expect(counter.dialog("散客礼品卡收款")).to_contain_text("¥9.00")
