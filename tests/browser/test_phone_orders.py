"""What becomes of an order on the phone page: it waits for WeChat, it is reviewed and invoiced, it is seen offline."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from playwright.async_api import Route, expect

from backend.kernel import clock
from backend.orders.jobs import advance_payments
from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import APPLE, SHIRT, WATER, ask, buy, shown_order, there
from tests.support.delivery import SHENZHEN, make_rule, sent_to
from tests.support.gift_cards import sold_card
from tests.support.pictures import picture
from tests.support.seed import Chain
from tests.support.staff import StaffSession
from tests.support.value import give

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIN = "142857"


async def look(phone: Member, faults: list[str]) -> None:
    """Wait until nothing covers the screen, and note what is too small or too faint."""
    await phone.quiet()
    faults.extend([*await small_targets(phone.page), *await faint_texts(phone.page)])


# -- WeChat pays the rest


async def test_wechat_pays_the_rest_now_later_or_never(phone):
    faults: list[str] = []
    await leave_the_cashier(phone)
    await look(phone, faults)
    await pay_later(phone, faults)
    await give(int((await ask(phone, "GET", "/v1/member/profile"))["id"]), principal=50_000)
    await phone.page.reload()
    await leave_the_cashier(phone)
    await cancel(phone)
    await leave_the_cashier(phone)
    await be_too_late(phone, faults)

    states = [one["status"] for one in (await ask(phone, "GET", "/v1/member/orders"))["items"]]
    assert states == ["closed", "cancelled", "paid"]
    assert faults == []


async def leave_the_cashier(phone: Member) -> None:
    """Shirts for more than is on the card; WeChat's cashier is left without paying."""
    await there(phone, f"product?{SHIRT}")
    for value in ("墨绿", "S"):
        await phone.page.get_by_role("radio", name=value, exact=True).check(force=True)
    for _ in range(6):
        await phone.button("增加 数量").click()
    await phone.button("立即购买").click()
    await expect(phone.button("提交订单")).to_be_enabled()
    await phone.sees("微信支付")
    await phone.button("提交订单").click()
    await phone.dialog("微信支付").get_by_role("button", name="取消", exact=True).click()
    await phone.sees("等待支付", "剩余支付时间")


async def pay_later(phone: Member, faults: list[str]) -> None:
    """The order says how long it waits, in the list too; paid from there, it stands."""
    await phone.button("纪念衫 ×7").click()
    await phone.sees("待付款", "剩余支付时间")
    await look(phone, faults)
    await there(phone, "orders")
    await phone.sees("前支付")
    await phone.page.get_by_role("link", name="纪念衫").click()
    await phone.button("继续支付").click()
    await phone.button("立即支付").click()
    await phone.sees("下单成功")
    await phone.button("纪念衫 ×7").click()
    await phone.sees("备货中", "微信支付")
    await expect(phone.page.get_by_text("剩余支付时间")).to_have_count(0)
    wallet = await ask(phone, "GET", "/v1/member/wallet")
    assert wallet["stored"]["total_fen"] == 0


async def cancel(phone: Member) -> None:
    """What was held is there again."""
    await phone.button("纪念衫 ×7").click()
    await phone.button("取消订单").click()
    await phone.dialog("取消这个订单？").get_by_role("button", name="取消订单").click()
    await expect(phone.page.locator(".order-state")).to_have_text("已取消")  # the toast about the cashier says it too


async def be_too_late(phone: Member, faults: list[str]) -> None:
    """When the time is over nobody is let pay; the phone hears that the order was closed."""
    await phone.button("纪念衫 ×7").click()
    await phone.sees("剩余支付时间")
    before = (await ask(phone, "GET", "/v1/member/wallet"))["stored"]["total_fen"]
    over = phone.page.get_by_text("支付时间已到，正在关闭订单")
    for _ in range(30):  # whatever is asked of the server meanwhile sets the page's clock right again
        await phone.page.evaluate("() => { const late = Date.now() + 16 * 60_000; Date.now = () => late; }")
        await phone.page.wait_for_timeout(1_100)
        if await over.is_visible():
            break
    await expect(over).to_be_visible()
    await expect(phone.button("继续支付")).to_have_count(0)
    await look(phone, faults)
    clock.shift(timedelta(minutes=16))
    try:
        await advance_payments()
    finally:
        clock.reset()
    await phone.sees("已关闭", "超时未支付，订单已关闭")
    after = (await ask(phone, "GET", "/v1/member/wallet"))["stored"]["total_fen"]
    assert (before, after) == (0, 50_000)


# -- a gift card, the payment PIN


async def test_a_gift_card_pays_first_and_much_of_ones_own_needs_the_pin(phone, admin, chain, client):
    await pay_by_gift_card(phone, admin, chain, client)
    await there(phone, "home")
    await phone.set_pin(PIN)
    await there(phone, f"product?{SHIRT}")
    for value in ("墨绿", "S"):
        await phone.page.get_by_role("radio", name=value, exact=True).check(force=True)
    for _ in range(2):
        await phone.button("增加 数量").click()
    await phone.button("立即购买").click()
    await expect(phone.button("提交订单")).to_be_enabled()
    await phone.button("提交订单").click()
    await phone.sees("请输入 6 位支付密码", "¥237.00")
    await phone.page.keyboard.type("918273")
    await phone.sees("支付密码不正确，还可尝试 4 次")
    assert [*await small_targets(phone.page), *await faint_texts(phone.page)] == []
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 1

    await phone.page.keyboard.type(PIN)

    await phone.sees("下单成功", "¥237.00")
    assert PIN not in await phone.page.evaluate("JSON.stringify(localStorage)")


async def pay_by_gift_card(phone: Member, admin: StaffSession, chain: Chain, client: httpx.AsyncClient) -> None:
    """What is on it, and stored value the rest."""
    card = await sold_card(admin, chain.till, client, 1_000, title="新年礼品卡")
    await ask(phone, "POST", "/v1/member/gift-cards", {"card_no": card.number, "pin": card.pin})
    await buy(phone, f"P-{APPLE}")
    choice = phone.page.get_by_role("switch", name="新年礼品卡")
    await choice.check(force=True)
    await expect(phone.page.locator(".fact", has_text="礼品卡")).to_contain_text("¥10.00")
    await expect(phone.page.locator(".fact", has_text="余额支付")).to_contain_text("¥2.50")

    await phone.button("提交订单").click()

    await phone.sees("下单成功", "¥12.50")
    (made,) = (await ask(phone, "GET", "/v1/member/orders"))["items"]
    tenders = (await ask(phone, "GET", f"/v1/member/orders/{made['id']}"))["tenders"]
    assert [(one["type"], one["amount_fen"]) for one in tenders] == [("gift_card", 1_000), ("stored", 250)]


async def test_a_card_that_nobody_has_bound_pays_by_number_and_pin_and_choices_outlive_a_reload(
    phone, admin, chain, client
):
    card = await sold_card(admin, chain.till, client, 1_000, title="不记名卡", holder="bearer")
    await buy(phone, f"P-{APPLE}")
    await phone.page.get_by_label("备注").fill("不要塑料袋")
    await phone.page.get_by_role("switch", name="余额支付").uncheck(force=True)
    await expect(phone.page.locator(".fact", has_text="微信支付")).to_contain_text("¥12.50")

    await phone.page.reload()

    await expect(phone.page.locator(".fact", has_text="微信支付")).to_contain_text("¥12.50")
    await expect(phone.page.get_by_label("备注")).to_have_value("不要塑料袋")
    await phone.page.get_by_role("switch", name="余额支付").check(force=True)
    await phone.button("使用未绑定的礼品卡").click()
    await phone.field("卡号").fill(card.number)
    await phone.field("卡密").fill(card.pin)
    assert [*await small_targets(phone.page), *await faint_texts(phone.page)] == []
    await phone.button("确认", exact=True).click()
    await expect(phone.page.get_by_role("switch", name="不记名卡")).to_be_checked()
    await expect(phone.page.locator(".fact", has_text="礼品卡")).to_contain_text("¥10.00")
    await expect(phone.page.locator(".fact", has_text="余额支付")).to_contain_text("¥2.50")
    kept = await phone.page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert [secret in kept for secret in (card.number, card.pin, "gc.")] == [False] * 3

    await phone.button("提交订单").click()

    await phone.sees("下单成功", "¥12.50")
    (made,) = (await ask(phone, "GET", "/v1/member/orders"))["items"]
    tenders = (await ask(phone, "GET", f"/v1/member/orders/{made['id']}"))["tenders"]
    assert [(one["type"], one["amount_fen"]) for one in tenders] == [("gift_card", 1_000), ("stored", 250)]
    assert await phone.page.evaluate("Object.keys(sessionStorage).filter((key) => /checkout/.test(key))") == []


# -- too many at once


async def test_who_is_turned_away_by_a_crowd_hears_so_and_tries_again_with_one_button(phone):
    await there(phone, f"product?P-{WATER}")
    await phone.button("加入购物车").click()
    await phone.page.get_by_role("link", name="购物车，1 件").click()
    await phone.button("去结算（1）").click()
    await expect(phone.button("提交订单")).to_be_enabled()

    async def turn_away(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        await route.fulfill(status=503, content_type="application/problem+json", body='{"code": "crowded"}')

    await phone.page.route("**/v1/member/orders", turn_away)
    await phone.button("提交订单").click()

    await expect(phone.page.get_by_role("heading", name="人太多，请稍后再试")).to_be_visible()
    await phone.sees("购物车已保留")
    await expect(phone.page.locator("main button:visible, .foot button:visible")).to_have_count(1)
    assert [*await small_targets(phone.page), *await faint_texts(phone.page)] == []
    assert (await ask(phone, "GET", "/v1/member/orders"))["items"] == []
    await phone.page.unroute("**/v1/member/orders")
    await phone.button("再试一次").click()
    await phone.sees("下单成功")
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 1


# -- once the goods are there


async def test_what_was_received_is_reviewed_with_pictures_invoiced_and_complained_of(phone, admin):
    faults: list[str] = []
    order_id = await have(phone, admin)
    await write_review(phone, faults)
    await ask_for_an_invoice(phone, admin, order_id, faults)
    await complain(phone, order_id, faults)

    assert faults == []


async def have(phone: Member, admin: StaffSession) -> str:
    """An apple that was sent and has come."""
    await make_rule(admin)
    address = await ask(phone, "POST", "/v1/member/addresses", SHENZHEN)
    body = sent_to(address["id"], a6902=1) | {"payable_fen": 2_050}
    order_id = (await ask(phone, "POST", "/v1/member/orders", body))["checkout_id"]
    await admin.post(f"/v1/admin/orders/{order_id}/parcels", {"carrier": "SF", "tracking_no": "SF1020304050"})
    await ask(phone, "POST", f"/v1/member/orders/{order_id}/receipt", {})
    await there(phone, f"order?{order_id}")
    await phone.sees("已收货")
    return order_id


async def add_picture(phone: Member) -> None:
    async with phone.page.expect_file_chooser() as chooser:
        await phone.button("添加图片").click()
    await (await chooser.value).set_files(
        {"name": "a.png", "mimeType": "image/png", "buffer": picture(size=(900, 600))}
    )
    await expect(phone.page.locator(".shot.sending")).to_have_count(0)
    await expect(phone.button("删除图片 1")).to_be_visible()


async def write_review(phone: Member, faults: list[str]) -> None:
    """Four stars, a text and a picture: on the order, among the member's own, and where the product is sold."""
    await phone.page.wait_for_load_state("networkidle")  # the order is drawn anew when the phone hears of its receipt
    await phone.button("评价", exact=True).click()
    await phone.page.get_by_role("radio", name="4 星").check(force=True)
    await phone.page.get_by_label("评价内容").fill("又脆又甜")
    await add_picture(phone)
    await look(phone, faults)
    await phone.button("提交评价").click()
    await phone.sees("又脆又甜")
    await expect(phone.button("评价", exact=True)).to_have_count(0)
    await phone.button("查看图片 1").click()
    await expect(phone.dialog("查看图片").get_by_role("img", name="图片 1")).to_be_visible()
    await phone.page.keyboard.press("Escape")
    for place in ("own-reviews", f"product?P-{APPLE}", f"reviews?P-{APPLE}"):
        await there(phone, place)
        await phone.sees("又脆又甜")
        await expect(phone.page.get_by_role("img", name="4 星")).to_be_visible()
        await look(phone, faults)


async def ask_for_an_invoice(phone: Member, admin: StaffSession, order_id: str, faults: list[str]) -> None:
    """For a company, whose tax number is wrong at first; put right, then issued."""
    unasked: list[str] = []
    phone.page.on("response", lambda answer: unasked.append(answer.url) if answer.status == 404 else None)
    await there(phone, f"order?{order_id}")
    await phone.button("发票 申请开票").click()
    await phone.page.get_by_role("radio", name="企业").check(force=True)
    await phone.field("发票抬头").fill("某某科技有限公司")
    await phone.field("税号").fill("123")
    await phone.button("提交申请").click()
    await phone.sees("请填写正确的税号")
    await look(phone, faults)
    await phone.field("税号").fill("91110000ma0000000x")
    await phone.button("提交申请").click()
    await phone.sees("开票中", "¥20.50", "91110000MA0000000X")
    issued = await admin.post(f"/v1/admin/orders/{order_id}/invoice", {"status": "issued", "number": "0421"})
    assert issued.status_code == 204, issued.text
    await there(phone, "invoices")
    await phone.page.get_by_role("link", name="某某科技有限公司").click()
    await phone.sees("已开票", "0421")
    assert unasked == []
    await look(phone, faults)


async def complain(phone: Member, order_id: str, faults: list[str]) -> None:
    """A picture goes with the request, and is seen with it."""
    await there(phone, f"ask-after-sale?{order_id}")
    await phone.page.get_by_role("radio", name="质量问题").check(force=True)
    await add_picture(phone)
    await phone.button("提交申请").click()
    await phone.sees("等待门店处理", "质量问题")
    await expect(phone.button("查看图片 1")).to_be_visible()
    await look(phone, faults)
    (asked,) = (await ask(phone, "GET", f"/v1/member/after-sales?order_id={order_id}"))["items"]
    assert len(asked["pictures"]) == 1


# -- without a network


async def test_what_was_seen_is_read_offline_and_a_lost_order_is_placed_once(phone, admin):
    faults: list[str] = []
    order_id = await see(phone, admin)
    await read_offline(phone, order_id, faults)
    await place_in_a_cellar(phone)

    assert faults == []


async def see(phone: Member, admin: StaffSession) -> str:
    """The mall, goods, a product, an order that waits at the store."""
    await buy(phone, f"P-{WATER}")
    await phone.button("提交订单").click()
    await phone.sees("下单成功")
    await phone.button("×1").click()
    await phone.sees("备货中")
    order_id = await shown_order(phone)
    await admin.post(f"/v1/admin/orders/{order_id}/ready")
    await expect(phone.page.get_by_role("img", name="取货二维码")).to_be_visible()
    for place, said in (("mall", "全部商品"), ("goods?category=fruit", "苹果"), ("orders", "待取货")):
        await there(phone, place)
        await phone.sees(said)
        await expect(phone.page.locator("main .skeleton")).to_have_count(0)
    return order_id


async def read_offline(phone: Member, order_id: str, faults: list[str]) -> None:
    """From when it is, is said; the pick-up code is there after a restart too; what was not seen says why."""
    await phone.page.context.set_offline(offline=True)
    await phone.sees("当前没有网络")
    for place, said in (
        ("mall", "苹果"),
        ("goods?category=fruit", "苹果"),
        (f"product?P-{WATER}", "立即购买"),
        ("orders", "待取货"),
        (f"order?{order_id}", "请向收银员出示取货码"),
    ):
        await there(phone, place)
        await phone.sees("以下是", said)
        await expect(phone.page.locator("main .skeleton")).to_have_count(0)
        await look(phone, faults)
    await there(phone, "addresses")
    await phone.sees("网络不通")
    await phone.page.context.set_offline(offline=False)
    await there(phone, f"product?P-{APPLE}")
    await phone.sees("立即购买")


async def place_in_a_cellar(phone: Member) -> None:
    """Without a network nothing is sent and the cart stays; one that is cut behind the request is asked once more."""
    page = phone.page
    await phone.button("加入购物车").click()
    await page.get_by_role("link", name="购物车，1 件").click()
    await phone.button("去结算（1）").click()
    await expect(phone.button("提交订单")).to_be_enabled()
    await page.context.set_offline(offline=True)
    await phone.sees("当前没有网络")
    await phone.button("提交订单").click()
    await phone.sees("订单还没有提交，商品仍在购物车里")
    await page.context.set_offline(offline=False)
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 1
    assert len((await ask(phone, "GET", "/v1/member/cart"))["stores"]) == 1

    keys: list[str] = []

    async def cut(route: Route) -> None:
        if route.request.method != "POST":
            await route.continue_()
            return
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            await route.continue_()
            return
        await route.fetch()
        await page.context.set_offline(offline=True)
        await route.abort()

    await page.route("**/v1/member/orders", cut)
    await phone.button("提交订单").click()
    await expect(page.get_by_role("heading", name="下单结果确认中")).to_be_visible()
    await page.context.set_offline(offline=False)
    await phone.sees("下单成功")
    assert (len(keys) > 1, set(keys)) == (True, {keys[0]})
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 2
