"""The card wallet on the phone page: all cards as one list, a page for each, binding a gift card, collecting stamps."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import known_member
from tests.support.gift_cards import Plastic, by_cards, sold_card
from tests.support.passes import CLUB, WASHES, buy, line_of, make_pass_product, use
from tests.support.seed import Chain, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.stamps import make_campaign
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium, server, chain) -> AsyncIterator[Member]:
    """Somebody who has just joined."""
    async with known_member(chromium, server) as screen:
        yield screen


async def open_wallet(phone: Member) -> None:
    await phone.go("我的")
    await phone.button("卡包").click()
    await expect(phone.page.get_by_role("heading", name="卡包", level=1)).to_be_visible()


async def bind_by_keyboard(phone: Member, card: Plastic, pin: str) -> None:
    """Number, PIN, Enter."""
    await phone.field("卡号").fill("")
    await phone.page.keyboard.type(card.number)
    await phone.page.keyboard.press("Tab")
    await phone.page.keyboard.type(pin)
    await phone.page.keyboard.press("Enter")


@pytest.mark.usefixtures("kept_page")
async def test_a_printed_gift_card_is_bound_and_stands_in_the_wallet(phone, admin, chain, client, server):
    card = await sold_card(admin, chain.till, client, 20_000, title="新年礼品卡")
    await open_wallet(phone)
    await phone.sees("储值卡", "积分", "优惠券")
    await phone.button("绑定礼品卡").click()
    await bind_by_keyboard(phone, card, "12")
    await phone.sees("卡号或卡密不正确，请核对后再试")

    await bind_by_keyboard(phone, card, card.pin)

    await expect(phone.page.get_by_role("region", name="新年礼品卡")).to_contain_text("¥200.00")
    await phone.sees("出示会员码即可使用", "使用记录", "+¥200.00")
    card_id = phone.page.url.rpartition("?")[2]
    await phone.button("返回").click()
    row = phone.page.get_by_role("link", name="新年礼品卡")
    await expect(row).to_contain_text("¥200.00")
    await phone.page.emulate_media(color_scheme="dark")
    assert await faint_texts(phone.page) == []
    assert await small_targets(phone.page) == []

    await phone.page.evaluate("location.hash = '#/home'")
    code = await phone.show_code()
    sold = await chain.till.sell(client, code, fen=5_000, tenders=by_cards(card_id, rest=None))
    assert sold.status_code == 201, sold.text
    await phone.button("完成", exact=True).click()
    await open_wallet(phone)
    await expect(row).to_contain_text("¥150.00")
    await phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await phone.page.context.set_offline(True)
    await phone.page.reload()
    await phone.sees("没能连上服务器，以下是", "¥150.00")
    await phone.page.context.set_offline(False)
    assert await findings(server.settings) == []


async def test_what_was_bought_is_used_before_the_members_eyes(phone, admin, chain, client):
    washes = await make_pass_product(admin, WASHES | {"stores": ["S1"], "services": ["普洗"]})
    club = await make_pass_product(admin, CLUB, title="会员年卡")
    code = await phone.show_code()
    scanned = (await chain.till.post(client, "/v1/pos/scan", {"code": code})).json()
    await buy(client, chain.till, scanned["scan_token"], line_of(washes), line_of(club))
    await phone.button("完成", exact=True).click()
    await open_wallet(phone)
    await phone.page.get_by_role("link", name="会员年卡").click()
    await phone.sees("9折 · 2 倍积分", "与会员等级折扣取更优惠的一种")
    await phone.button("返回").click()
    await phone.page.get_by_role("link", name="洗车三次卡").click()
    await phone.sees("次可用，共 3 次", "可用于：普洗", "适用门店：南京路店", "还没有使用记录")
    pass_id = phone.page.url.rpartition("?")[2]

    used = await use(client, chain.till, scanned["scan_token"], pass_id)

    assert used.status_code == 201
    await phone.sees("洗车三次卡已使用 1 次")
    await expect(phone.page.get_by_role("region", name="洗车三次卡")).to_contain_text("2 次可用")
    await expect(phone.page.get_by_role("listitem").filter(has_text="南京路店").last).to_contain_text("1 次")


async def test_stamps_are_collected_by_checking_in_and_become_a_coupon(phone, admin):
    await make_campaign(admin, title="签到有礼", kind="attendance", goal=1, per_member=1)
    await open_wallet(phone)
    await phone.button("集章活动").click()
    await expect(phone.page.get_by_role("link", name="签到有礼")).to_contain_text("今日可签到")
    await phone.page.get_by_role("link", name="签到有礼").click()
    await expect(phone.page.get_by_role("img", name="已集 0 个，共 1 个")).to_be_visible()

    await phone.button("今日签到").click()

    await phone.sees("奖励已放入卡券", "奖励已领完")
    await phone.page.evaluate("location.hash = '#/coupons'")
    await phone.sees("集章礼")
