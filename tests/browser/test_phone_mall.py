"""The mall on the phone page: somebody buys, fetches and returns; what is refused; by keyboard and in the dark."""

from __future__ import annotations

import io
import re
import uuid

import pytest
import zxingcpp
from PIL import Image
from playwright.async_api import Route, expect

from backend.kernel import clock, db
from backend.mall.shown import forget
from tests.browser.actors import TILL, Cashier, Member, open_screen
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import APPLE, SHIRT, WATER, ask, buy, shown_order, tab_to, there
from tests.support.coupons import CASH, make_template
from tests.support.mall import shelf
from tests.support.staff import StaffSession

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TERMS = CASH | {"stacking": "joint", "scope": {"channels": ["mall"]}}


async def test_a_person_places_fetches_and_returns_an_order(chromium, server, chain, admin, phone):
    template = await make_template(admin, TERMS, title="商城满100减20")
    await ask(phone, "POST", "/v1/member/coupons/claim", {"template_id": template["id"]})
    on_hand = (await shelf("S1", APPLE))[0]

    await put_into_the_cart(phone)
    await check_out(phone)
    assert (await shelf("S1", APPLE))[0] == on_hand - 5
    order_id = await shown_order(phone)
    async with open_screen(chromium, f"{server.base_url}/pos", TILL, kind=Cashier) as counter:
        await counter.enter_terminal(chain.till.terminal_id, chain.till.secret, "小李")
        await by_keys_in_the_dark(counter)
        await fetch_at_the_till(phone, counter, admin, order_id)
        assert counter.broken == []
    await return_all(phone, admin)

    assert (await shelf("S1", APPLE))[0] == on_hand
    wallet = await ask(phone, "GET", "/v1/member/wallet")
    assert wallet["stored"]["total_fen"] == 50_000


async def put_into_the_cart(phone: Member) -> None:
    """Found by the initials of its name; what does not exist or has run out cannot be chosen."""
    await phone.go("商城")
    await phone.page.get_by_role("link", name="商品名、拼音或首字母").click()
    await phone.page.get_by_role("searchbox").fill("pg")
    await phone.page.get_by_role("link", name="苹果").click()
    for _ in range(4):
        await phone.button("增加 数量").click()
    await phone.button("加入购物车").click()
    await expect(phone.page.get_by_role("link", name="购物车，5 件")).to_be_visible()

    await there(phone, f"product?{SHIRT}")
    await phone.button("加入购物车").click()
    await phone.sees("请选择颜色")
    await phone.page.get_by_role("radio", name="墨绿").check(force=True)
    await expect(phone.page.get_by_role("radio", name="M，已售罄")).to_be_disabled()
    await phone.page.get_by_role("radio", name="白色").check(force=True)
    await expect(phone.page.get_by_role("radio", name="M，没有这个规格")).to_be_disabled()
    await phone.page.get_by_role("radio", name="S", exact=True).check(force=True)
    await phone.button("加入购物车").click()
    await phone.page.get_by_role("link", name="购物车，6 件").click()


async def check_out(phone: Member) -> None:
    """The cart's two articles with the best coupon, the rest from stored value; ends on the order."""
    await phone.page.get_by_role("checkbox", name="选择 纪念衫").uncheck(force=True)
    await expect(phone.button("去结算（5）")).to_be_visible()
    await phone.page.get_by_role("checkbox", name="选择 纪念衫").check(force=True)
    await phone.button("去结算（6）").click()
    await phone.sees("−¥20.00")
    await expect(phone.page.locator(".checkout-sum .strong")).to_have_text("¥121.50")
    await phone.button("提交订单").dblclick()
    await phone.sees("下单成功")
    await phone.button("等 6 件").click()
    await phone.sees("备货中", "¥121.50")
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 1


async def by_keys_in_the_dark(counter: Cashier) -> None:
    """The pick-up page is reached and left by keys; a code that is none is said to be; everything can be seen."""
    await counter.page.emulate_media(color_scheme="dark")
    await tab_to(counter.page, "自提")
    await counter.page.keyboard.press("Enter")
    await counter.sees("扫顾客手机上的取货码")
    await counter.field("取货码").fill("1234567890")  # typed at once it would be a scan
    await counter.page.keyboard.press("Enter")
    await counter.sees("取货码是 10 位数字，礼品码前面还有 G，请核对")
    assert [*await small_targets(counter.page), *await faint_texts(counter.page)] == []
    await counter.page.keyboard.press("Escape")
    await counter.sees("扫商品条码开始收银")


async def fetch_at_the_till(phone: Member, counter: Cashier, admin: StaffSession, order_id: str) -> None:
    """Packed by staff, read off the phone by a scanner, given out once."""
    assert (await admin.post(f"/v1/admin/orders/{order_id}/ready")).status_code == 200
    await expect(phone.page.get_by_role("img", name="取货二维码")).to_be_visible()
    picture = Image.open(io.BytesIO(await phone.page.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    await counter.scan(found.text)
    await counter.sees("王**", "苹果", "纪念衫", "共 6 件")
    assert [*await small_targets(counter.page), *await faint_texts(counter.page)] == []
    await counter.page.keyboard.press("Enter")
    await counter.sees("已交给王**，共 6 件")
    await phone.sees("已收货")
    await counter.scan(found.text)
    await counter.sees("这个订单已经取走了")
    await expect(counter.button("确认交货")).to_have_count(0)


async def return_all(phone: Member, admin: StaffSession) -> None:
    """Everything comes back; the money goes where it came from."""
    await phone.button("申请售后").click()
    for name, pieces in (("苹果", 5), ("纪念衫", 1)):
        for _ in range(pieces):
            await phone.button(f"增加 {name} 的数量").click()
    await phone.page.get_by_role("radio", name="不想要了").check(force=True)
    await phone.button("提交申请").click()
    await phone.sees("等待门店处理")
    request_id = await shown_order(phone)
    for step, said in (("approve", "门店已同意"), ("goods", "门店已收到"), ("refund", "已退款")):
        answer = await admin.post(f"/v1/admin/after-sales/{request_id}/{step}", {})
        assert answer.status_code == 200, answer.text
        await phone.sees(said)
    await expect(phone.page.locator(".fact", has_text="余额支付")).to_contain_text("¥121.50")
    await expect(phone.page.locator(".fact", has_text="退回优惠券")).to_contain_text("1 张")


async def test_a_price_that_moved_is_shown_before_anything_is_bought(phone):
    await buy(phone, f"P-{WATER}")
    await price(WATER, 260)
    await phone.button("提交订单").click()

    await phone.sees("价格有变化（原 ¥2.00）")
    await expect(phone.page.locator(".checkout-sum .strong")).to_have_text("¥2.60")
    assert (await ask(phone, "GET", "/v1/member/orders"))["items"] == []
    await phone.button("提交订单").click()
    await phone.sees("下单成功", "¥2.60")
    await price(WATER, 200)


async def price(sku: str, fen: int) -> None:
    async with db.transaction() as tx:
        await db.raw(tx).execute("UPDATE mall_article SET unit_price_fen = $2 WHERE sku = $1", sku, fen)
    forget()


async def test_the_line_that_ran_out_is_named_and_the_rest_can_be_bought(phone):
    left = (await shelf("S1", "7003"))[0]
    await there(phone, f"product?P-{APPLE}")
    await phone.button("加入购物车").click()
    await there(phone, f"product?{SHIRT}")
    for value in ("白色", "S"):
        await phone.page.get_by_role("radio", name=value, exact=True).check(force=True)
    await phone.button("加入购物车").click()
    await phone.page.get_by_role("link", name="购物车，2 件").click()
    await phone.button("去结算（2）").click()
    await expect(phone.button("提交订单")).to_be_enabled()
    await sell_out("7003", left)

    await phone.button("提交订单").click()

    await phone.sees("有商品暂时买不到")
    line = phone.page.locator(".checkout-line.wrong")
    await expect(line).to_contain_text("纪念衫")
    await line.get_by_role("button", name="删除").click()
    await expect(phone.page.locator(".checkout-sum .strong")).to_have_text("¥12.50")
    await phone.button("提交订单").click()
    await phone.sees("下单成功")


async def sell_out(sku: str, pieces: int) -> None:
    """Somebody else has them all."""
    from backend.stock import service
    from backend.stock.types import Piece, Wish

    async with db.transaction() as tx:
        wish = Wish(f"X-{uuid.uuid4().hex[:8]}", (Piece("S1", sku, pieces),), None)
        assert await service.reserve_many(tx, [wish], at=clock.now()) == [None]


async def test_an_order_whose_answer_was_lost_is_asked_for_again_over_a_restart_and_stands_once(phone):
    await buy(phone, f"P-{WATER}")
    keys = []

    async def lose(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        await route.fetch()
        await route.abort()

    await phone.page.route("**/v1/member/orders", lose)
    await phone.button("提交订单").click()
    await expect(phone.page.get_by_role("heading", name="下单结果确认中")).to_be_visible()
    await phone.page.reload()
    await phone.page.unroute("**/v1/member/orders")
    await phone.sees("下单结果确认中", "重试不会重复下单")
    async with phone.page.expect_request(lambda one: one.method == "POST" and one.url.endswith("/orders")) as again:
        await phone.button("重试").click()

    await phone.sees("下单成功")
    assert {*keys, (await again.value).headers["idempotency-key"]} == {keys[0]}
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 1


async def test_by_keyboard_alone_in_the_dark_and_large_enough(phone):
    page = phone.page
    await page.emulate_media(color_scheme="dark")
    faults: list[str] = []

    async def look() -> None:
        await expect(page.locator("main .skeleton")).to_have_count(0)
        faults.extend([*await small_targets(page), *await faint_texts(page)])

    await phone.go("商城")
    await phone.sees("全部商品", "苹果")
    await look()
    await tab_to(page, "苹果")
    await page.keyboard.press("Enter")
    await phone.sees("立即购买")
    await look()
    await tab_to(page, "增加 数量")
    await page.keyboard.press("Enter")
    await tab_to(page, "立即购买")
    await page.keyboard.press("Enter")
    await expect(phone.button("提交订单")).to_be_enabled()
    await look()
    await tab_to(page, "提交订单")
    await page.keyboard.press("Enter")
    await phone.sees("下单成功")
    await look()
    await tab_to(page, "苹果 ×2")
    await page.keyboard.press("Enter")
    await phone.sees("备货中")
    await look()
    await tab_to(page, "取消订单")
    await page.keyboard.press("Enter")
    await phone.dialog("取消这个订单？").get_by_role("button", name="取消订单").press("Enter")
    await phone.sees("已取消")
    for place, said in (
        ("cart", "购物车还是空的"),
        ("orders", "已取消"),
        ("goods?category=fruit", "新品"),
        ("mall-search", "最近搜索|首字母"),
    ):
        await there(phone, place)
        await expect(page.get_by_text(re.compile(said)).filter(visible=True).first).to_be_visible()
        await look()

    assert faults == []
