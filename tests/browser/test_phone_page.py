"""The phone page on a real server: joining, read at a till, without a network, its sheets by keyboard."""

from __future__ import annotations

import io
import uuid

import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image
from playwright.async_api import Page, expect

from tests.browser.actors import PHONE, Screen, open_screen
from tests.support.members import random_phone
from tests.support.seed import seed_chain

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def till(chromium, server):
    return (await seed_chain(server.base_url)).till


@pytest.fixture
async def phone(chromium, server):
    async with open_screen(chromium, f"{server.base_url}/?as={uuid.uuid4().hex}", PHONE, kind=Screen) as screen:
        yield screen.page
        assert screen.broken == []


async def join(page: Page, name: str = "王小明") -> None:
    await page.get_by_role("button", name="手机号快速注册").click()
    await page.get_by_role("button", name="获取手机号").click()
    sheet = page.get_by_role("dialog")
    await sheet.get_by_label("手机号").fill(random_phone())
    await sheet.get_by_role("button", name="允许", exact=True).click()
    await page.get_by_label("姓名").fill(name)
    await page.get_by_role("checkbox").check()
    await page.get_by_role("button", name="完成注册").click()
    await expect(page.get_by_text(name).first).to_be_visible()


async def read_code(page: Page) -> str:
    """What a scanner reads off the screen: QR and barcode say the same."""
    await expect(page.get_by_role("img", name="会员二维码")).to_be_visible()
    picture = Image.open(io.BytesIO(await page.screenshot()))
    found = {str(code.format): code.text for code in zxingcpp.read_barcodes(picture)}
    assert len(found) == 2
    (text,) = set(found.values())
    return text


async def test_the_till_reads_the_code_and_the_phone_shows_shop_and_receipt(phone, till, client):
    await join(phone)
    await phone.get_by_role("link", name="会员码").click()
    code = await read_code(phone)

    scan = await till.post(client, "/v1/pos/scan", {"code": code})
    await expect(phone.get_by_text("已读取会员码")).to_be_visible()
    sale = await till.post(
        client,
        "/v1/pos/sales",
        {
            "scan_token": scan.json()["scan_token"],
            "order_no": uuid.uuid4().hex[:16],
            "lines": [{"sku": "X-1", "qty": 2, "unit_price_fen": 2790}],
            "tenders": [{"type": "cash"}],
        },
    )

    assert sale.status_code == 201
    receipt = phone.get_by_role("dialog", name="支付成功")
    await expect(receipt).to_contain_text("¥55.80")
    await expect(receipt).to_contain_text(f"+{sale.json()['points_earned']}")


@pytest.mark.usefixtures("kept_page")
async def test_a_phone_without_a_network_starts_and_shows_a_code_that_is_good(phone, till, client):
    await join(phone)
    await phone.get_by_role("link", name="会员码").click()
    await read_code(phone)
    await phone.evaluate("navigator.serviceWorker.ready.then(() => true)")

    await phone.context.set_offline(True)
    await phone.reload()

    await expect(phone.get_by_text("当前没有网络，会员码仍可使用")).to_be_visible()
    code = await read_code(phone)
    await phone.context.set_offline(False)
    sold = await till.sell(client, code, tenders=[{"type": "cash"}])
    assert sold.status_code == 201


async def test_a_typed_code_is_confirmed_by_keyboard_alone(phone, till, client):
    await join(phone)
    await phone.get_by_role("link", name="会员码").click()
    code = await read_code(phone)

    waiting = await till.sell(client, code, code_entry="typed", tenders=[{"type": "cash"}])
    await expect(phone.get_by_role("dialog", name="确认付款")).to_be_visible()
    await phone.keyboard.press("Enter")

    assert waiting.json()["status"] == "awaiting_confirmation"
    await expect(phone.get_by_role("dialog", name="支付成功")).to_be_visible()
    await phone.keyboard.press("Escape")
    await expect(phone.get_by_role("dialog")).to_have_count(0)


async def test_what_is_missing_in_the_registration_is_named(phone):
    await phone.get_by_role("button", name="手机号快速注册").click()

    await phone.get_by_role("button", name="完成注册").click()

    for text in ("请先获取手机号", "请填写姓名", "请先阅读并同意协议与政策"):
        await expect(phone.get_by_text(text)).to_be_visible()
