"""Coupons at the POS page, in Chromium: shown with what they take off, used by tap or key, printed on the receipt."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.actors import TILL, Cashier, open_screen
from tests.support import wire
from tests.support.coupons import CASH, coupons_of, give_coupon
from tests.support.members import register
from tests.support.seed import seed_chain
from tests.support.staff import log_in
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATER, APPLES = "690000000001", "690000000002"
JOINT = CASH | {"stacking": "joint", "min_spend_fen": 0}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server):
    return await seed_chain(server.base_url)


async def test_the_cashier_uses_a_members_coupons(chromium, server, chain):
    async with (
        wire.connected(server.base_url) as client,
        open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as counter,
    ):
        admin, phone = await log_in(client, chain, "admin"), await register(client)
        await give(phone.member_id, principal=5_000)
        three = await give_coupon(admin, phone, JOINT | {"face_fen": 300}, title="立减3元")
        fruit = await give_coupon(
            admin, phone, JOINT | {"face_fen": 200, "scope": {"categories": ["fruit"]}}, title="水果减2元"
        )
        await give_coupon(admin, phone, JOINT | {"min_spend_fen": 5_000}, title="满50减20")
        page = counter.page
        await counter.enter_terminal(chain.till.terminal_id, chain.till.secret, "小李")
        await counter.ring_up([WATER, APPLES])
        await counter.scan(phone.code())

        strip, payable, paid = page.locator("#coupons"), page.locator("#payable"), page.locator("#amount-stored")
        await expect(payable).to_have_text("¥14.50")
        await expect(strip.locator(f"[data-coupon='{three}']")).to_contain_text("−¥3.00")
        await expect(strip.locator(f"[data-coupon='{fruit}']")).to_contain_text("−¥2.00")
        await expect(strip.locator("#coupons-best")).to_contain_text("−¥5.00")
        await strip.locator("#coupons-others").click()
        await expect(counter.dialog("现在不能用的券")).to_contain_text("还差 ¥35.50")
        await page.keyboard.press("Escape")

        await strip.locator(f"[data-coupon='{three}']").click()
        await expect(page.locator("#amount-coupon")).to_have_text("−¥3.00")
        await expect(paid).to_have_value("11.50")
        await page.locator("#drop-coupons").click()
        await expect(paid).to_have_value("14.50")
        await page.keyboard.press("F10")
        await expect(strip.locator("#coupons-best")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#amount-coupon")).to_have_text("−¥5.00")
        await expect(paid).to_have_value("9.50")
        await expect(strip.locator(".chip.on").first).to_be_focused()
        await page.keyboard.press("ArrowRight")
        await expect(strip.locator(".chip.on").nth(1)).to_be_focused()

        await page.keyboard.press("F9")
        await counter.sees("收款成功", "优惠券 立减3元", "优惠券 水果减2元", "¥9.50")
        assert [coupon["title"] for coupon in await coupons_of(phone)] == ["满50减20"]
        assert (await phone.wallet())["stored"]["total_fen"] == 4_050
        order_no = await page.locator("#result .result-head .num").inner_text()

        await page.keyboard.press("Enter")
        await counter.find_sale(order_no)
        await counter.button("全选").click()
        await page.get_by_role("radio", name="顾客不想要了").check(force=True)
        await page.keyboard.press("F9")
        await counter.sees("退款成功", "其中 ¥5.00 由优惠券抵扣，不退现金", "已退回优惠券 2 张", "¥9.50")
        assert len(await coupons_of(phone)) == 3
        assert (await phone.wallet())["stored"]["total_fen"] == 5_000
        assert counter.broken == []
    assert await findings(server.settings) == []


async def test_a_coupon_that_the_basket_no_longer_earns_is_left_out(chromium, server, chain):
    async with (
        wire.connected(server.base_url) as client,
        open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as counter,
    ):
        admin, phone = await log_in(client, chain, "admin"), await register(client)
        coupon = await give_coupon(admin, phone, CASH | {"face_fen": 300, "min_spend_fen": 1_400}, title="满14减3")
        page = counter.page
        await counter.enter_terminal(chain.till.terminal_id, chain.till.secret)
        await counter.ring_up([APPLES, WATER])
        await counter.scan(phone.code())
        await page.locator(f"[data-coupon='{coupon}']").click()
        await expect(page.locator("#amount-coupon")).to_have_text("−¥3.00")

        await page.keyboard.press("Delete")

        await counter.sees("不再使用“满14减3”", "还差 ¥1.50")
        await expect(page.locator(".tender[data-type='coupon']")).to_be_hidden()
        assert counter.broken == []
