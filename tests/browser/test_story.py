"""The whole story in Chromium: somebody joins, recharges and pays at the till; the till gives a part back."""

from __future__ import annotations

import uuid

import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.kernel import db
from tests.browser.actors import PHONE, TILL, Cashier, Member, open_screen
from tests.support import wire
from tests.support.members import random_phone
from tests.support.pos import Till
from tests.support.seed import seed_chain
from tests.support.staff import log_in
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATER, APPLES, MILK = "690000000001", "690000000002", "690000000004"


LEVEL = {"name": "金卡会员", "discount_bp": 500, "points_multiplier_bp": 10_000, "growth_from_fen": 0}
OFFER = {"pay_fen": 50_000, "bonus_fen": 5_000, "points": 500}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server):
    """Two stores and their tills, a level that takes 5 % off, an offer of ¥500, a third article."""
    made = await seed_chain(server.base_url)
    async with wire.connected(server.base_url) as client:
        admin = await log_in(client, made, "admin")
        assert (await admin.call("PUT", "/v1/admin/levels/basic", LEVEL)).status_code == 200
        assert (await admin.post("/v1/admin/recharge-offers", OFFER)).status_code == 201
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO mall_article (sku, barcode, name, category_id, unit_price_fen, active)"
            " VALUES ('6904', $1, '鲜牛奶', 'drinks', 690, true)",
            MILK,
        )
    return made


async def test_from_joining_to_a_settled_sale_and_a_refund(chromium, server, chain):
    url = server.base_url
    async with (
        open_screen(chromium, f"{url}/?as={uuid.uuid4().hex}", PHONE, kind=Member) as phone,
        open_screen(chromium, f"{url}/pos", TILL, kind=Cashier) as counter,
    ):
        await phone.join(random_phone(), "王小明")
        await phone.recharge("500")
        await phone.sees("¥550.00")
        order_no = await pay_at_the_till(phone, counter, chain.till)
        await give_apples_back(phone, counter, order_no)

        assert phone.broken == []
        assert counter.broken == []
    assert await findings(server.settings) == []


async def pay_at_the_till(phone: Member, counter: Cashier, till: Till) -> str:
    """Three articles, the code by scanner, settled; the phone shows it promptly. Returns the receipt number."""
    await counter.enter_terminal(till.terminal_id, till.secret, "小李")
    await counter.ring_up([WATER, APPLES, MILK])
    await counter.scan(await phone.show_code())
    await phone.sees("南京路店已读取会员码")
    await counter.sees("王**", "金卡会员 · 95折", "¥550.00", "会员 −¥1.06")
    await expect(counter.page.locator("#payable")).to_have_text("¥20.34")

    await phone.page.evaluate("() => { window.stillTheSamePage = true }")
    await counter.page.keyboard.press("F9")
    receipt = phone.dialog("支付成功")
    await expect(receipt).to_contain_text("¥529.66")
    assert await phone.page.evaluate("() => window.stillTheSamePage") is True
    for text in ("南京路店", "¥20.34", "+30", "530"):
        await expect(receipt).to_contain_text(text)
    await counter.sees("收款成功", "+30", "¥529.66")
    await phone.button("完成", exact=True).click()
    await phone.go("首页")
    await phone.sees("529.66", "530")
    return await counter.page.locator("#result .result-head .num").inner_text()


async def give_apples_back(phone: Member, counter: Cashier, order_no: str) -> None:
    """One line of the receipt goes back to the stored value; its points are taken back; the phone hears of it."""
    await counter.page.keyboard.press("Enter")
    await counter.find_sale(order_no)
    await counter.button("加一件 苹果").click()
    await counter.page.get_by_role("radio", name="顾客不想要了").check(force=True)
    await expect(counter.page.locator("#refund-sum")).to_have_text("¥11.88")
    await counter.page.keyboard.press("F9")

    await counter.sees("退款成功", "¥11.88", "扣回积分 17")
    await phone.sees("退款到账 ¥11.88", "541.54", "513")
