"""What a till does beside sales, by keyboard: a shift, somebody's authorisation, a recharge, who stands there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.identities import jobs
from backend.kernel import config, db
from tests.browser.actors import TILL, Cashier, open_screen
from tests.browser.looks import faint_texts
from tests.support.members import random_phone, register
from tests.support.overrides import manager_phone, put_limit
from tests.support.seed import Chain, seed_chain
from tests.support.staff import log_in
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

APPLES = "690000000002"
PIN = "135790"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def counter(chromium, server, chain) -> AsyncIterator[Cashier]:
    """A cashier at an empty till."""
    async with open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as screen:
        await screen.enter_terminal(chain.till.terminal_id, chain.till.secret, "小李")
        yield screen
        assert screen.broken == []


async def choose(counter: Cashier, number: int) -> None:
    await counter.page.keyboard.press("F11")
    await expect(counter.dialog("收银台业务")).to_be_visible()
    await counter.page.keyboard.press(str(number))


async def test_a_shift_with_all_that_a_till_does(counter, client, chain, server, shots):
    admin, manager = await log_in(client, chain, "admin"), await log_in(client, chain, "manager-S1")
    await put_limit(admin)
    await put_limit(admin, "cashier", sale_bp=500, sale_fen=5_000, day_fen=0, day_count=0)
    boss = await manager_phone(client, manager)
    number = random_phone()
    phone = await register(client, phone=number)
    set_pin = {"pin": PIN, "phone_code": f"phone-{number}"}
    assert (await phone.call("PUT", "/v1/member/pin", set_pin)).status_code == 204
    page = counter.page

    await choose(counter, 3)
    await page.locator("#shift-float").fill("100")
    await page.keyboard.press("Enter")
    await counter.sees("已开班：小李，备用金 ¥100.00")

    await choose(counter, 1)
    await page.locator("#identify-number").fill(number)
    await page.keyboard.press("Enter")
    await page.locator("#identify-pin").fill(PIN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#member-name")).to_be_visible()

    await choose(counter, 2)
    await page.locator("#recharge-amount").fill("50")
    await shots(page, "recharge")
    await page.keyboard.press("Enter")
    await counter.sees("充值成功：¥50.00，余额 ¥50.00")

    await counter.ring_up([APPLES])
    await page.keyboard.press("F4")
    await page.keyboard.type("3")
    await page.keyboard.press("Enter")
    await page.keyboard.press("F9")
    await expect(counter.dialog("需要授权")).to_contain_text("本单手工优惠 ¥3.00")
    await shots(page, "override")
    assert await faint_texts(page) == []
    await counter.scan(boss.authorisation())
    await counter.sees("收款成功", "¥9.50")
    await page.keyboard.press("Escape")

    await choose(counter, 3)
    await page.locator("#shift-close").click()
    await page.locator("#shift-cash").fill("150")
    await page.keyboard.press("Enter")
    slip = page.locator("dialog .slip")
    await expect(slip).to_contain_text("现金差异")
    await expect(slip).to_contain_text("储值充值 ×1")
    await shots(page, "z")
    assert await faint_texts(page) == []
    assert await findings(server.settings) == []
    grants = (await admin.get("/v1/admin/overrides")).json()["items"]
    assert [(one["fen"], one["cashier"]) for one in grants] == [(300, "小李")]


async def test_who_has_no_phone_at_hand_reads_out_a_code_that_was_sent(counter, client, chain, server, shots):
    number = random_phone()
    asked_for = await register(client, phone=number, name="林海")
    page = counter.page
    config.use(msgspec.structs.replace(server.settings, identity_sms="earn"))

    await choose(counter, 1)
    await page.locator("#identify-number").fill(number)
    await page.keyboard.press("Enter")
    await page.locator("#identify-by-sms").click()
    await page.locator("#identify-sms-spend").click()
    await counter.sees("本店未开通短信验证")
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#identify-sms")).to_be_focused()
    await shots(page, "sms")
    assert await faint_texts(page) == []
    request = "SELECT id FROM identity_request WHERE member_id = $1"
    await jobs.send_code(str(await db.fetchval(request, asked_for.member_id)), 1)
    (sent, *_) = (await client.get("/mock/sms/sent", params={"phone": number})).json()["items"]
    code = re.search(r"验证码(\d{6})", sent["text"])[1]
    await page.keyboard.type(f"{(int(code) + 1) % 10**6:06d}")
    await page.keyboard.press("Enter")
    await counter.sees("验证码不正确")
    await shots(page, "sms-wrong")
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")

    await expect(page.locator("#member-name")).to_be_visible()
    await shots(page, "sms-done")
    config.use(server.settings)


@pytest.fixture
def shots(request: pytest.FixtureRequest):
    """Takes a picture where HUIYUAN_SHOTS names a folder."""
    import os
    from pathlib import Path

    folder = os.environ.get("HUIYUAN_SHOTS")

    async def shoot(page, name: str) -> None:
        if folder:
            await page.screenshot(path=str(Path(folder) / f"{name}.png"))

    return shoot
