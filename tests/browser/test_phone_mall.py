"""The mall on the phone page: somebody buys, fetches and returns; what is refused; by keyboard and in the dark."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image
from playwright.async_api import Page, Route, expect

from backend.kernel import clock, db
from backend.mall import service as mall
from backend.mall.shown import forget
from tests.browser.actors import PHONE, TILL, Cashier, Member, open_screen
from tests.browser.looks import faint_texts, small_targets
from tests.support import wire
from tests.support.coupons import CASH, make_template
from tests.support.delivery import SHENZHEN, make_rule, sent_to
from tests.support.mall import open_mall, put, shelf
from tests.support.members import random_phone
from tests.support.seed import Chain, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WATER, APPLE = "6901", "6902"
SHIRT, SIZES = "P-SHIRT", {"S": "7001", "M": "7002"}
TERMS = CASH | {"stacking": "joint", "scope": {"channels": ["mall"]}}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    """Two stores and a mall: water and apples, and a shirt that comes in two sizes and, in white, in one."""
    made = await seed_chain(server.base_url)
    await open_mall("S1", "S2")
    async with db.transaction() as tx:
        await add_shirt(db.raw(tx))
        skus = [row[0] for row in await db.raw(tx).fetch("SELECT sku FROM mall_article")]
        ids = [row[0] for row in await db.raw(tx).fetch("SELECT id FROM mall_product")]
        await mall.index_articles(tx, skus)
        await mall.index_products(tx, ids)
    for sku in (WATER, APPLE, SIZES["S"], "7003"):
        await put("S1", sku, 20, 2_000)
    forget()
    return made


async def add_shirt(connection: Any) -> None:
    """Green in S and (never stocked) M, white in S only."""
    axes = '[{"name": "颜色", "values": ["墨绿", "白色"]}, {"name": "尺码", "values": ["S", "M"]}]'
    now = clock.now()
    await connection.execute(
        "INSERT INTO mall_product (id, name, subtitle, category_id, description, pictures, axes, attributes, active,"
        " name_key, version, created_at, updated_at, from_fen)"
        " VALUES ($1, '纪念衫', '', 'fruit', '纯棉', '[]', $2::jsonb, '{}', true, '', 1, $3, $3, 7900)",
        SHIRT,
        axes,
        now,
    )
    for sku, spec in ((SIZES["S"], '["墨绿", "S"]'), (SIZES["M"], '["墨绿", "M"]'), ("7003", '["白色", "S"]')):
        await connection.execute(
            "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active, product_id, spec, weight_g,"
            " tracked) VALUES ($1, '纪念衫', 'fruit', 7900, true, $2, $3::jsonb, 300, true)",
            sku,
            SHIRT,
            spec,
        )
    await connection.execute(
        "INSERT INTO mall_publication (channel, store_id, product_id, at) VALUES ('mall', 'S1', $1, $2)", SHIRT, now
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(server, chain) -> AsyncIterator[StaffSession]:
    async with wire.connected(server.base_url) as client:
        yield await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium, server, chain) -> AsyncIterator[Member]:
    """Somebody who has just joined, with ¥500 of stored value; afterwards the books balance."""
    async with open_screen(chromium, f"{server.base_url}/?as={uuid.uuid4().hex}", PHONE, kind=Member) as screen:
        await screen.join(random_phone(), "王小明")
        member = await ask(screen, "GET", "/v1/member/profile")
        await give(int(member["id"]), principal=50_000)
        await screen.page.reload()
        await screen.sees("王小明")
        yield screen
        assert screen.broken == []
    assert await findings(server.settings) == []


async def ask(phone: Member, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A call of the member's, from their phone."""
    return await phone.page.evaluate(_ASK, [method, path, body])


_ASK = """async ([method, path, body]) => {
  const { createApi, newKey } = await import("/static/shared/api.js");
  const { wx } = await import("/static/wx.js");
  const api = createApi(wx);
  return method === "GET" ? api.get(path) : api.post(path, body, { key: await newKey(wx) });
}"""


async def there(phone: Member, place: str) -> None:
    await phone.page.evaluate(f"location.hash = '#/{place}'")


async def shown_order(phone: Member) -> str:
    """Which order, or request, is looked at."""
    return (await phone.page.evaluate("location.hash")).partition("?")[2]


async def buy(phone: Member, product_id: str) -> None:
    """Go straight to the checkout of one piece."""
    await there(phone, f"product?{product_id}")
    await phone.button("立即购买").click()
    await expect(phone.page.get_by_role("heading", name="确认订单", level=1)).to_be_visible()
    await expect(phone.button("提交订单")).to_be_enabled()


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


async def fetch_at_the_till(phone: Member, counter: Cashier, admin: StaffSession, order_id: str) -> None:
    """Packed by staff, read off the phone by a scanner, given out once."""
    assert (await admin.post(f"/v1/admin/orders/{order_id}/ready")).status_code == 200
    await expect(phone.page.get_by_role("img", name="取货二维码")).to_be_visible()
    picture = Image.open(io.BytesIO(await phone.page.screenshot()))
    (found,) = zxingcpp.read_barcodes(picture)
    await counter.scan(found.text)
    await counter.sees("王**", "苹果", "纪念衫", "共 6 件")
    await counter.page.keyboard.press("F9")
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
    await expect(phone.page.get_by_role("heading", name="下单结果确认中")).to_be_visible(timeout=15_000)
    await phone.page.reload()
    await phone.page.unroute("**/v1/member/orders")
    await phone.sees("下单结果确认中", "重试不会重复下单")
    async with phone.page.expect_request(lambda one: one.method == "POST" and one.url.endswith("/orders")) as again:
        await phone.button("重试").click()

    await phone.sees("下单成功")
    assert {*keys, (await again.value).headers["idempotency-key"]} == {keys[0]}
    assert len((await ask(phone, "GET", "/v1/member/orders"))["items"]) == 1


async def test_an_order_that_is_sent_says_where_to_and_what_that_cost(phone, admin):
    await make_rule(admin)
    address = await ask(phone, "POST", "/v1/member/addresses", SHENZHEN)
    body = sent_to(address["id"], a6902=1) | {"payable_fen": 2_050}

    placed = await ask(phone, "POST", "/v1/member/orders", body)
    await there(phone, f"order?{placed['checkout_id']}")

    await phone.sees("待发货", "快递", "¥8.00", "欧阳小敏 13712345678 广东省深圳市南山区科技园路九号甲座")


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


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus says this."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        said = await page.evaluate(
            """() => {
              const at = document.activeElement;
              return at === document.body ? "" : at.getAttribute("aria-label") || at.textContent;
            }"""
        )
        if name in said:
            return
    raise AssertionError(f"no way to {name} by keyboard")
