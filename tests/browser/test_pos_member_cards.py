"""Member cards and the PIN pad at the POS page, in Chromium, by scanner and keyboard."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.looks import faint_texts
from tests.browser.test_pos_till import chain, choose, counter, shots  # noqa: F401 - fixtures
from tests.support.membercards import held, make_batch, make_store, make_type, move, numbers
from tests.support.members import register
from tests.support.races import codes_of
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIN = "135790"


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:  # noqa: F811
    return await log_in(client, chain, "admin")


async def test_a_card_is_given_lost_replaced_shown_and_brought_back_and_a_pin_is_typed(
    counter,
    client,
    admin,
    server,
    shots,  # noqa: F811
):
    batch = await make_batch(admin, await make_type(admin, name="银杏卡", deposit_fen=1_000, fee_fen=500), 2)
    assert (await move(admin, batch, 1, 2, to=await make_store(admin, "S1"))).status_code == 201
    old, new = await numbers(batch)
    phone = await register(client)
    for_scan, for_pin = await codes_of(phone, 2)
    page = counter.page

    await choose(counter, 4)
    await counter.sees("先识别会员")
    await counter.scan(for_scan)
    await expect(page.locator("#member-name")).to_be_visible()
    await choose(counter, 4)
    await counter.sees("该会员还没有会员卡")
    await counter.scan("9" * 16)
    await counter.sees("不是可用的会员卡")
    await counter.scan(old)
    await counter.sees("发卡：银杏卡", "押金", "¥10.00")
    await shots(page, "member-card")
    assert await faint_texts(page) == []
    await page.keyboard.press("Enter")
    await counter.sees(f"已发卡 ****{old[-4:]}，已收 ¥10.00")

    await choose(counter, 4)
    await page.locator("#mcard-lost").click()
    await counter.dialog("挂失").get_by_role("button", name="挂失").click()
    await counter.sees(f"卡 ****{old[-4:]} 已挂失")
    await counter.button("现在补卡").click()
    await counter.scan(new)
    await counter.sees("补卡：换成 银杏卡", "补卡工本费", "¥5.00")
    await page.locator("#mcard-go").click()
    await counter.sees(f"已补卡 ****{new[-4:]}，已收 ¥5.00")

    await choose(counter, 5)
    await counter.scan(for_pin)
    await page.keyboard.type(PIN)
    await page.keyboard.type("000000")
    await page.keyboard.press("Enter")
    await counter.sees("两次输入不一致")
    await shots(page, "pin-pad")
    assert await faint_texts(page) == []
    await page.keyboard.type(PIN)
    await page.keyboard.press("Enter")
    await counter.sees("支付密码已设置")

    await page.locator("#member-change").click()
    await counter.scan(new)
    await page.locator("#identify-pin").fill(PIN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#member-name")).to_be_visible()
    await choose(counter, 4)
    await counter.scan(new)
    await counter.button("退卡并退押金 ¥10.00").click()
    await counter.dialog("退卡").get_by_role("button", name="退卡", exact=True).click()
    await counter.sees(f"已退卡 ****{new[-4:]}，请退还 ¥10.00")

    assert await held(phone.member_id) == [(old, "replaced"), (new, "void")]
    assert await findings(server.settings) == []
