"""Stored value on both pages: a member asks for a recharge back and downloads a statement; head office decides."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.kernel import clock
from backend.wallet import reports
from backend.wallet.commands import refunding
from backend.worker import load
from tests.browser.actors import Member, Screen
from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import ask, known_member, there
from tests.support import recharge, wire
from tests.support.seed import Chain, seed_chain

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    load()
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def till(server) -> AsyncIterator[httpx.AsyncClient]:
    async with wire.connected(server.base_url) as client:
        yield client


async def shoot(screen: Screen, name: str) -> None:
    """A picture for whoever wants to look, where ``SHOTS`` names a folder."""
    if folder := os.environ.get("SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def look(screen: Screen) -> None:
    """Nothing is too small to touch or too faint to read; the skip link is out of sight."""
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text]
    assert [text for text in small if not text.endswith(" × 32")] == []
    assert await faint_texts(screen.page) == []


async def test_a_member_asks_for_a_recharge_back_and_head_office_approves(chromium, server, chain, till):
    async with known_member(chromium, server) as phone, console(chromium, server, "#/recharge-refunds") as office:
        order = await ask(phone, "POST", "/v1/member/recharges", {"amount_fen": 12_300})
        await recharge.pay(till, order["id"])
        await recharge.until(lambda: paid(phone, order["id"]))
        await there(phone, "recharge")
        await phone.sees("当前余额")
        await look(phone)
        await phone.page.get_by_role("link", name="充值记录").click()
        await phone.sees("¥123.00", "已到账")
        await phone.button("申请退款").click()
        dialog = phone.dialog("申请退款")
        await expect(dialog).to_contain_text("最多可退 ¥123.00")
        await dialog.get_by_label("退款金额（元）").fill("100")
        await dialog.get_by_label("原因").fill("不再光顾")
        await look(phone)
        await shoot(phone, "phone-ask-refund")
        await dialog.get_by_role("button", name="申请退款").click()
        await phone.sees("退款待审核")
        await look(phone)
        await shoot(phone, "phone-recharges")
        async with phone.page.expect_download() as download:
            await phone.button("下载 PDF").click()
        assert (await download.value).suggested_filename.startswith("statement-")

        await office.log_in("admin")
        await office.sees("不再光顾", "待审核")
        await look(office)
        await shoot(office, "console-refunds")
        await office.page.get_by_role("button", name="同意").first.click()
        await office.page.get_by_role("dialog").get_by_role("button", name="同意").click()
        await phone.sees("退款冻结 ¥100.00")
        await refunding.advance_due(clock.now())
        await phone.sees("已退 ¥100.00")
        await office.page.get_by_role("cell", name="不再光顾").click()
        await office.sees("会员充值记录", "¥123.00")
        await shoot(office, "console-member-recharges")
        await look(office)


async def test_head_office_sees_what_is_owed_by_day(chromium, server, chain, till):
    async with known_member(chromium, server) as phone:
        order = await ask(phone, "POST", "/v1/member/recharges", {"amount_fen": 45_600})
        await recharge.pay(till, order["id"])
        await recharge.until(lambda: paid(phone, order["id"]))
    await reports.roll_up("Asia/Shanghai")

    async with console(chromium, server, "#/stored-value") as office:
        await office.log_in("admin")
        await office.sees("未消费余额", "合计")
        await expect(office.page.locator("svg").first).to_be_visible()
        async with office.page.expect_download() as download:
            await office.button("CSV").click()
        assert (await download.value).suggested_filename.endswith(".csv")
        await look(office)
        await shoot(office, "console-stored-value")


async def test_head_office_says_in_which_turn_an_offer_s_value_is_spent(chromium, server, chain):
    async with console(chromium, server, "#/recharge-offers") as office:
        await office.log_in("admin")
        await office.button("新建优惠").click()
        await office.field("充值金额").fill("500")
        await office.field("赠送金额").fill("50")
        await office.page.get_by_label("消费顺序").select_option(label="先用赠送")
        await office.button("保存").click()
        row = office.page.get_by_role("row").filter(has_text="¥500.00")
        await expect(row).to_contain_text("先用赠送")
        await row.get_by_role("button", name="修改").click()
        await office.page.get_by_label("消费顺序").select_option(label="先用本金")
        await office.button("保存").click()
        await expect(row).to_contain_text("先用本金")
        await look(office)
        await shoot(office, "console-recharge-offers")


async def paid(phone: Member, recharge_id: str) -> bool:
    return bool((await ask(phone, "GET", f"/v1/member/recharges/{recharge_id}"))["status"] == "paid")
