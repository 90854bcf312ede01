"""A table's code in Chromium: a guest orders by it, the till brings it by keyboard, and the phone says that it came."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.kernel import db
from tests.browser.actors import PHONE, TILL, Cashier, Member, open_screen
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import APPLE, ask, buy, shown_order, there
from tests.support.mall import checkout, put
from tests.support.members import random_phone
from tests.support.staff import StaffSession
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SPOTS = "/v1/admin/mall/spots"
WAITING = "**/v1/pos/spot-orders"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def table(admin: StaffSession) -> dict[str, Any]:
    """A table of the first store."""
    return await spot(admin, "S1", "A12")


async def spot(admin: StaffSession, store_id: str, name: str, **more: str) -> dict[str, Any]:
    made = await admin.post(SPOTS, {"store_id": store_id, "kind": "table", "name": name} | more)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


@pytest_asyncio.fixture(loop_scope="session")
async def counter(chromium, server, chain) -> AsyncIterator[Cashier]:
    """A cashier at an empty till of that store."""
    till = chain.tills["S1"][0]
    async with open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as screen:
        await screen.enter_terminal(till.terminal_id, till.secret, "小李")
        yield screen
        assert screen.broken == []


async def look(screen: Member | Cashier, faults: list[str]) -> None:
    """In both schemes."""
    for scheme in ("dark", "light"):
        await screen.page.emulate_media(color_scheme=scheme)
        faults.extend(await faint_texts(screen.page))
    faults.extend(await small_targets(screen.page))


async def scan(phone: Member, code: str) -> None:
    """Open the page by a code, as WeChat's camera does."""
    await phone.page.goto(f"{phone.page.url.split('#')[0]}&spot={code}")


async def order_at(phone: Member, code: str, note: str = "") -> str:
    """Two apples and a water, paid; without the screen."""
    body = checkout("S1", (), **{f"a{APPLE}": 2, "a6901": 1})
    body["orders"][0] |= {"delivery": {"kind": "spot", "spot_code": code}, "note": note}
    quote = await ask(phone, "POST", "/v1/member/orders/quote", body)
    seen = {"payable_fen": quote["payable_fen"], "due_fen": quote["due_fen"]}
    order_id: str = (await ask(phone, "POST", "/v1/member/orders", body | seen))["checkout_id"]
    return order_id


async def test_from_a_tables_code_to_what_is_brought_there(chromium, server, counter, table):
    faults: list[str] = []
    url = f"{server.base_url}/?as={uuid.uuid4().hex}&spot={table['code']}"
    async with open_screen(chromium, url, PHONE, kind=Member) as phone:
        await phone.join(random_phone(), "王小明", then="您在 南京路店 · A12 桌")
        member = await ask(phone, "GET", "/v1/member/profile")
        await give(int(member["id"]), principal=50_000)
        await look(phone, faults)
        await phone.page.reload()  # the address names the table no more; the phone knows it
        await phone.sees("您在 南京路店 · A12 桌")
        order_id = await order_apples(phone, faults)
        await bring(counter, faults)

        await phone.sees("商品已交给你，请核对", "已收货")
        assert (await ask(phone, "GET", f"/v1/member/orders/{order_id}"))["status"] == "received"
        assert phone.broken == []
    await look(counter, faults)
    await counter.sees("没有等着送的订单")
    await expect(counter.page.locator("#to-tables .badge")).to_be_hidden()
    await counter.page.keyboard.press("Escape")
    await counter.sees("扫商品条码开始收银")
    assert faults == []
    assert await findings(server.settings) == []


async def order_apples(phone: Member, faults: list[str]) -> str:
    """To the table, which is chosen already; ends on the order."""
    await there(phone, f"product?P-{APPLE}")
    await phone.button("立即购买").click()
    await expect(phone.page.get_by_role("radio", name="送到 A12 桌")).to_be_checked()
    await phone.sees("付款后由店员送过来")
    await phone.field("备注").fill("少糖")
    await expect(phone.button("提交订单")).to_be_enabled()
    await look(phone, faults)
    await phone.button("提交订单").click()
    await phone.sees("下单成功")
    await phone.button("苹果 ×1").click()
    await phone.sees("待送达", "送到 A12")
    await phone.quiet()
    await look(phone, faults)
    return await shown_order(phone)


async def bring(counter: Cashier, faults: list[str]) -> None:
    """With nothing but keys: F12, the slip, and once for all that it was brought."""
    keyboard = counter.page.keyboard
    await counter.page.evaluate(
        "window.print = () => { window.printed = document.getElementById('print').textContent; }"
    )
    await keyboard.press("F12")
    await expect(counter.button("A12 已送达")).to_be_focused()
    await counter.sees("A12", "备注：少糖", "刚刚付款")
    await expect(counter.page.locator("#to-tables .badge")).to_have_text("1")
    await look(counter, faults)
    await keyboard.press("ArrowLeft")
    await keyboard.press("Enter")
    assert "少糖" in await counter.page.evaluate("window.printed")
    await keyboard.press("ArrowRight")
    for _ in range(3):  # a cashier in a hurry
        await keyboard.press("Enter")
    await expect(counter.page.locator(".table-done")).to_be_visible()


async def test_what_is_not_to_be_brought_says_so_and_stays(phone, counter, table):
    asked, cancelled = await order_at(phone, table["code"]), await order_at(phone, table["code"], "不要了")
    await counter.button("桌边").click()
    await expect(counter.button("A12 已送达")).to_have_count(2)
    wish = {"kind": "refund", "reason": "点错了", "lines": [{"line_no": 1, "qty": 1}]}
    await ask(phone, "POST", f"/v1/member/orders/{asked}/after-sales", wish)
    await ask(phone, "POST", f"/v1/member/orders/{cancelled}/cancel", {})

    await counter.page.locator(f"#serve-{cancelled}").click()
    await counter.sees("A12 的订单已取消，不用送了")
    await counter.page.locator(f"#serve-{asked}").click()
    await counter.sees("顾客正在申请退款，先不要送")

    await expect(counter.button("A12 已送达")).to_have_count(1)
    rows = await db.fetch("SELECT id, state FROM orders_order WHERE id = ANY($1)", [asked, cancelled])
    assert {row["id"]: row["state"] for row in rows} == {asked: "paid", cancelled: "cancelled"}
    (request,) = (await ask(phone, "GET", f"/v1/member/after-sales?order_id={asked}"))["items"]
    await ask(phone, "POST", f"/v1/member/after-sales/{request['id']}/cancel", {})
    await counter.page.locator(f"#serve-{asked}").click()
    await expect(counter.page.locator(".table-done")).to_be_visible()


async def test_a_list_that_cannot_be_had_says_so_and_comes_when_asked_again(counter):
    await counter.page.route(WAITING, lambda route: route.fulfill(status=503, json={"code": "unavailable"}))
    await counter.page.reload()
    await counter.sees("扫商品条码开始收银")
    await counter.page.keyboard.press("F12")
    await expect(counter.button("重试")).to_be_visible()
    await counter.page.unroute(WAITING)

    await counter.button("重试").click()

    await counter.sees("没有等着送的订单")


async def test_a_code_says_where_one_is_until_one_leaves_or_it_is_no_good(phone, admin, table):
    await put("S2", "6901", 1, 100)
    shelf = await spot(admin, "S2", "水架", kind="shelf", product_id="P-6901")
    old = await spot(admin, "S1", "A13")
    faults: list[str] = []
    await scan(phone, shelf["code"])
    await expect(phone.button("立即购买")).to_be_visible()  # of the shelf's article
    await phone.button("返回").click()
    await phone.sees("水架")
    assert (await kept_store(phone)) == "S2"

    await scan(phone, table["code"][:-1])
    await phone.sees("这个桌码已失效，请扫桌上现在贴的码，或问店员")
    await expect(phone.button("重新扫码")).to_be_visible()
    await look(phone, faults)
    await phone.page.evaluate(_SCANS, old["link"])
    await phone.button("扫桌码").click()
    await phone.sees("您在 南京路店 · A13 桌")
    await there(phone, f"product?P-{APPLE}")
    await phone.button("立即购买").click()
    await expect(phone.page.get_by_role("radio", name="送到 A13 桌")).to_be_checked()
    await expect(phone.button("提交订单")).to_be_enabled()
    await admin.call("PUT", f"{SPOTS}/{old['id']}", {"name": "A13", "new_code": True})
    await phone.button("提交订单").click()

    await phone.sees("这个桌码已失效，已改为到店自提，请核对后提交")
    await expect(phone.page.get_by_role("radio", name="到店自提")).to_be_checked()
    assert (await ask(phone, "GET", "/v1/member/orders"))["items"] == []
    await scan(phone, table["code"])
    await phone.sees("您在 南京路店 · A12 桌")
    await order_at_two_stores(phone, faults)
    await there(phone, "mall")
    await phone.button("离开", exact=True).click()
    await phone.page.reload()
    await phone.sees("全部商品")
    await expect(phone.page.get_by_text("您在")).to_have_count(0)
    await buy(phone, f"P-{APPLE}")
    await expect(phone.page.get_by_role("radio", name="到店自提")).to_be_checked()
    assert faults == []


async def order_at_two_stores(phone: Member, faults: list[str]) -> None:
    """From the cart: what this store sells comes to the table, the other's is fetched there."""
    await put("S2", APPLE, 1, 750)
    for store_id in ("S1", "S2"):
        await ask(phone, "PUT", f"/v1/member/cart/{store_id}/{APPLE}", {"qty": 1})
    await there(phone, "cart")
    await phone.button("去结算（2）").click()
    await expect(phone.page.get_by_role("radio", name="送到 A12 桌")).to_be_checked()
    card = phone.page.get_by_role("region", name="配送方式")
    await expect(card).to_contain_text("南京路店 · A12 桌")
    await expect(card).to_contain_text("徐家汇店")
    await look(phone, faults)
    await phone.button("提交订单").click()
    await phone.sees("下单成功")
    placed = (await ask(phone, "GET", "/v1/member/orders"))["items"]
    assert {(one["store_id"], one["delivery"], one["spot"]) for one in placed} == {
        ("S1", "spot", "A12"),
        ("S2", "pickup", None),
    }


_SCANS = "async (text) => { (await import('/static/wx.js')).wx.scanCode = async () => ({ result: text }); }"


async def kept_store(phone: Member) -> str:
    store_id: str = await phone.page.evaluate(
        "async () => (await import('/static/wx.js')).wx.getStorageSync('snapshot').mall_store.id"
    )
    return store_id
