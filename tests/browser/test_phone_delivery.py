"""Goods that are sent: the address book and the way there at the checkout, the parcel, and the receipt."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import APPLE, ask, buy, shown_order, tab_to
from tests.support.delivery import SHENZHEN, make_rule
from tests.support.staff import StaffSession

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_person_writes_an_address_by_keyboard_and_receives_a_parcel(phone, admin):
    await make_rule(admin)
    faults: list[str] = []
    await buy(phone, f"P-{APPLE}")
    await phone.page.get_by_role("radio", name="快递配送").check(force=True)
    await expect(phone.button("提交订单")).to_be_disabled()

    await write_address(phone, faults)
    await where_nobody_sends(phone, faults)
    order_id = await place(phone, faults)
    await receive(phone, admin, order_id, faults)

    assert faults == []


async def look(phone: Member, faults: list[str]) -> None:
    faults.extend([*await small_targets(phone.page), *await faint_texts(phone.page)])


async def write_address(phone: Member, faults: list[str]) -> None:
    """With nothing but keys; what is missing is named, and the first of it has the focus."""
    page = phone.page
    await tab_to(page, "新增收货地址")
    await page.keyboard.press("Enter")
    await phone.sees("从微信导入收货地址")
    await tab_to(page, "保存")
    await page.keyboard.press("Enter")
    await phone.sees("请填写收货人", "请填写正确的手机号或电话", "请选择所在地区", "请填写详细地址")
    await look(phone, faults)
    await page.keyboard.type(SHENZHEN["name"])
    await page.keyboard.press("Tab")
    await page.keyboard.type(SHENZHEN["phone"])
    for part in ("province", "city", "district"):
        await page.keyboard.press("Tab")
        await choose_by_keys(page, SHENZHEN[part])
    await page.keyboard.press("Tab")
    await page.keyboard.type(SHENZHEN["street"])
    await page.keyboard.press("Tab")
    await tab_to(page, "保存")
    await page.keyboard.press("Enter")
    await phone.sees("确认订单", "运费 · 广东", SHENZHEN["street"])
    (kept,) = (await ask(phone, "GET", "/v1/member/addresses"))["items"]
    assert (kept["region"], kept["is_default"]) == (SHENZHEN["region"], True)


async def choose_by_keys(page: Page, name: str) -> None:
    """Arrow down in the choice that has the focus until it says this."""
    for _ in range(40):
        await page.keyboard.press("ArrowDown")
        if await page.evaluate("document.activeElement.selectedOptions[0].textContent") == name:
            return
    raise AssertionError(f"{name} is not offered")


async def where_nobody_sends(phone: Member, faults: list[str]) -> None:
    """WeChat's address in Shanghai is out of range: said at once, and the first address is taken again."""
    await phone.button(f"收货地址 {SHENZHEN['name']}，更换").click()
    await phone.button("新增收货地址").click()
    await phone.button("从微信导入收货地址").click()
    await phone.button("上海市").click()
    await phone.button("保存").click()
    await phone.sees("这个地址暂不支持配送")
    await expect(phone.button("改为到店自提")).to_be_visible()
    await expect(phone.button("提交订单")).to_be_disabled()
    await phone.quiet()
    await look(phone, faults)
    await phone.button("收货地址 王小明，更换").click()
    await phone.sees("欧**")
    await look(phone, faults)
    await phone.page.locator(".address-main", has_text="欧**").click()
    await phone.sees("运费 · 广东")


async def place(phone: Member, faults: list[str]) -> str:
    """With freight: ¥12.50 and ¥8.00; ends on the order, whose receiver is veiled until asked for."""
    await expect(phone.page.locator(".checkout-sum .strong")).to_have_text("¥20.50")
    await phone.button("提交订单").click()
    await phone.sees("下单成功")
    await phone.button("苹果 ×1").click()
    await phone.sees("待发货", "¥8.00", "欧**", "137****5678")
    await expect(phone.page.get_by_text(SHENZHEN["street"])).to_have_count(0)
    await phone.button("显示", exact=True).click()
    await phone.sees(SHENZHEN["name"], SHENZHEN["phone"], f"广东省深圳市南山区{SHENZHEN['street']}")
    await look(phone, faults)
    return await shown_order(phone)


async def receive(phone: Member, admin: StaffSession, order_id: str, faults: list[str]) -> None:
    """The phone hears that a parcel left; its number can be copied, and the goods be received."""
    sent = await admin.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "SF", "tracking_no": "SF1020304050"})
    assert sent.status_code in (200, 201), sent.text
    await phone.sees("已发货", "顺丰速运", "SF1020304050")
    await phone.page.locator(".parcel").get_by_role("button", name="复制").click()
    await phone.sees("已复制")
    await phone.quiet()
    await look(phone, faults)
    await phone.button("确认收货").click()
    await phone.dialog("确认收到商品？").get_by_role("button", name="确认收货").click()
    await phone.sees("已收货")
    assert (await ask(phone, "GET", f"/v1/member/orders/{order_id}"))["status"] == "received"
