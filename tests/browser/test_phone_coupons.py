"""Coupons on the phone page: claimed in the centre, found in the list, by a code, by keyboard, without a network."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.browser.actors import PHONE, Member, open_screen
from tests.browser.looks import small_targets
from tests.browser.shop import known_member
from tests.support import wire
from tests.support.coupons import CASH, TEMPLATES, VALUE, by_coupons, claim, counts, make_template
from tests.support.members import random_phone, register
from tests.support.seed import Chain, seed_chain
from tests.support.staff import StaffSession, log_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TERMS = CASH | {"scope": {"stores": ["S1"], "channels": ["pos"]}, "stacking": "joint", "max_together": 2}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(server, chain) -> AsyncIterator[StaffSession]:
    async with wire.connected(server.base_url) as client:
        yield await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def offers(admin) -> AsyncIterator[Any]:
    """Makes templates for one test; the centre is empty again after it."""
    made: list[str] = []

    async def offer(title: str, terms: dict[str, Any] = TERMS, **rest: Any) -> dict[str, Any]:
        template = await make_template(admin, terms, title=title, **rest)
        made.append(template["id"])
        return template

    yield offer
    for template_id in made:
        await admin.post(f"{TEMPLATES}/{template_id}/end")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium, server, chain) -> AsyncIterator[Member]:
    """Somebody who has just joined."""
    async with known_member(chromium, server) as screen:
        yield screen


async def open_centre(phone: Member) -> None:
    await phone.go("首页")
    await phone.button("领券中心").click()
    await expect(phone.page.get_by_role("heading", name="领券中心", level=1)).to_be_visible()


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus says this."""
    for _ in range(40):
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


async def test_what_is_claimed_in_the_centre_stands_in_list_and_detail(phone, offers):
    await offers("满100减20", total=50, per_member=1)
    await open_centre(phone)
    await phone.sees("满 ¥100 可用", "领取后30天内有效", "每人限领 1 张", "剩余 100%")

    await phone.button("领取 满100减20").click()
    await phone.sees("领取成功，已放入卡券", "限领 1 张，已领 1 张")
    await phone.button("去使用 满100减20").click()
    await expect(phone.page.get_by_role("tab", name="可用 1")).to_have_attribute("aria-selected", "true")
    await phone.page.get_by_role("link", name="满100减20").click()

    await phone.sees("出示会员码即可使用", "满100元减20元", "限门店使用", "适用门店：南京路店")
    await phone.sees("可与其他券同用，一单最多2张", "仅限本人使用", "整单退款后退回本券")
    await expect(phone.page.locator(".coupon-number")).to_have_text(re.compile(r"^C( [0-9A-Z]{4}){6} [0-9A-Z]{2}$"))
    await phone.button("出示会员码").click()
    await expect(phone.page.get_by_role("img", name="会员二维码")).to_be_visible()
    await phone.go("首页")
    await expect(phone.button("卡券 1张")).to_be_visible()


async def test_sold_out_and_the_limit_are_told_where_one_tapped(phone, offers, client):
    last = await offers("最后一张", per_member=1, total=1)
    await open_centre(phone)
    await phone.sees("仅剩 1 张")
    await claim(await register(client), template_id=last["id"])
    await phone.button("领取 最后一张").click()
    await phone.sees("这张券已经领完了", "已领完")

    ours = await offers("限领一张", per_member=1)
    await phone.button("返回").click()
    await open_centre(phone)
    await expect(phone.button("领取 限领一张")).to_be_visible()
    await phone.page.evaluate(CLAIM_ELSEWHERE, ours["id"])
    await phone.button("领取 限领一张").click()
    await phone.sees("你领取的数量已达上限", "限领 1 张，已领 1 张")
    await expect(phone.button("去使用 限领一张")).to_be_visible()

    assert (await counts(last["id"])).issued == 1
    assert (await counts(ours["id"])).issued == 1


CLAIM_ELSEWHERE = """async (template) => {
  const { createApi, newKey } = await import("/static/shared/api.js");
  const { wx } = await import("/static/wx.js");
  const api = createApi(wx);
  return (await api.post("/v1/member/coupons/claim", { template_id: template }, { key: await newKey(wx) })).id;
}"""


async def test_an_answer_that_was_lost_is_asked_for_again_and_doubles_nothing(phone, offers):
    template = await offers("别丢了我", per_member=5)
    await open_centre(phone)
    keys = []

    async def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await phone.page.route("**/v1/member/coupons/claim", lose_the_first)
    await phone.button("领取 别丢了我").click()

    await phone.sees("领取成功，已放入卡券", "限领 5 张，已领 1 张")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert (await counts(template["id"])).issued == 1


async def test_a_wish_without_an_answer_keeps_its_key_over_a_restart(phone, offers):
    template = await offers("重启再领", per_member=5)
    await open_centre(phone)
    keys = []

    async def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        await route.fetch()
        await route.abort()

    await phone.page.route("**/v1/member/coupon-centre", lambda route: route.abort())
    await phone.page.route("**/v1/member/coupons/claim", lose)
    await phone.button("领取 重启再领").click()
    await phone.sees("网络不通，请检查网络后重试")
    await phone.page.reload()
    await phone.sees("没能连上服务器")
    await phone.page.unroute("**/v1/member/coupons/claim")
    async with phone.page.expect_request("**/v1/member/coupons/claim") as again:
        await phone.button("领取 重启再领").click()

    await phone.sees("领取成功，已放入卡券")
    assert {*keys, (await again.value).headers["idempotency-key"]} == {keys[0]}
    assert (await counts(template["id"])).issued == 1


async def test_a_printed_code_becomes_a_coupon(phone, offers, admin):
    template = await offers("券码专享", VALUE, claim_by="nobody")
    batch = (await admin.post(f"{TEMPLATES}/{template['id']}/batches", {"total": 1})).json()
    exported = await admin.post(f"/v1/admin/coupons/batches/{batch['id']}/export")
    code = next(cell for row in csv.reader(io.StringIO(exported.text)) for cell in row if cell.count("-") == 4)
    await open_centre(phone)
    await phone.button("使用领券码").click()

    await phone.field("领券码").fill("ABCD-1234")
    await phone.button("领取", exact=True).click()
    await phone.sees("领券码不正确，请核对后再试")
    await phone.field("领券码").fill(code.lower())
    await phone.page.keyboard.press("Enter")

    await expect(phone.page.get_by_role("heading", name="券详情")).to_be_visible()
    await phone.sees("券码专享", "券内余额", "¥50 / ¥50", "余额可分次使用，用完为止")


async def test_a_link_gives_a_coupon_once(phone, offers):
    template = await offers("朋友送的", claim_by="link", per_member=1)
    there = f"location.hash = '#/claim?{template['share_token']}'"
    await phone.page.evaluate(there)
    await phone.sees("朋友送的", "使用规则")  # what it is, before it is taken
    assert (await counts(template["id"])).issued == 0
    await phone.button("领取", exact=True).click()
    await expect(phone.page.get_by_role("heading", name="券详情")).to_be_visible()
    await phone.sees("朋友送的")

    await phone.page.evaluate(there)
    await phone.button("领取", exact=True).click()

    await phone.sees("你领取的数量已达上限")
    await expect(phone.button("查看我的卡券")).to_be_focused()
    assert (await counts(template["id"])).issued == 1


async def test_what_the_till_takes_leaves_the_list_that_is_open(phone, offers, chain, client):
    counted = await offers("满100减20", CASH | {"stacking": "joint"})
    value = await offers("购物金", VALUE | {"face_fen": 50_000, "stacking": "joint"})
    ids = [await phone.page.evaluate(CLAIM_ELSEWHERE, template["id"]) for template in (counted, value)]
    code = await phone.show_code()
    await phone.go("卡券")
    await phone.sees("满100减20", "余额 ¥500 / ¥500")

    sold = await chain.till.sell(client, code, fen=12_000, tenders=by_coupons(*ids))
    await expect(phone.dialog("支付成功")).to_contain_text("优惠券")
    await phone.button("完成", exact=True).click()

    assert sold.status_code == 201
    await expect(phone.page.get_by_role("tab", name="可用 1")).to_be_visible()
    await phone.sees("余额 ¥400 / ¥500")
    await phone.page.get_by_role("tab", name="已使用").click()
    await expect(phone.page.get_by_role("link", name="满100减20")).to_contain_text("已使用")


async def test_a_confirmation_says_what_coupons_pay_and_what_is_left(phone, offers, chain, client):
    template = await offers("满100减20", CASH)
    coupon = await phone.page.evaluate(CLAIM_ELSEWHERE, template["id"])
    code = await phone.show_code()

    await chain.till.sell(client, code, fen=12_000, code_entry="typed", tenders=by_coupons(coupon))

    sheet = phone.dialog("确认付款")
    await expect(sheet.locator(".big-amount")).to_have_text("¥100.00")
    for label, amount in (("应付", "¥120.00"), ("优惠券抵扣", "−¥20.00"), ("还需支付", "¥100.00")):
        await expect(sheet.locator(".fact", has_text=label)).to_contain_text(amount)
    await phone.button("稍后处理").click()
    await expect(phone.button("待确认付款 ¥100.00")).to_be_visible()


async def test_a_friend_takes_what_was_given(phone, offers, chromium, server):
    template = await offers("送你的", CASH | {"transferable": True})
    coupon_id = await phone.page.evaluate(CLAIM_ELSEWHERE, template["id"])
    await phone.page.evaluate(f"location.hash = '#/coupon?{coupon_id}'")
    await phone.button("转赠好友").click()
    await phone.dialog("转赠这张券？").get_by_role("button", name="转赠好友").click()
    await phone.sees("等待好友领取", "转赠中")
    first = await phone.page.locator(".gift-link").inner_text()
    await phone.button("撤回").click()
    await phone.button("转赠好友").click()
    await phone.dialog("转赠这张券？").get_by_role("button", name="转赠好友").click()
    await phone.sees("等待好友领取")
    link = (await phone.page.locator(".gift-link").inner_text()).partition("#")[2]

    async with open_screen(chromium, f"{server.base_url}/?as={uuid.uuid4().hex}#{link}", PHONE, kind=Member) as friend:
        await friend.button("手机号快速注册").wait_for()
        await friend.page.evaluate("location.hash = '#/home'")
        await friend.join(random_phone(), "李小红")
        await friend.page.evaluate(f"location.hash = '#{link}'")
        await friend.sees("送你一张券", "送你的")
        await friend.button("收下").click()
        await expect(friend.page.get_by_role("heading", name="券详情")).to_be_visible()
        assert friend.broken == []

    assert first.partition("#")[2] != link
    await phone.page.evaluate(f"location.hash = '#{link}'")
    await phone.sees("这是你送出的券")


async def test_by_keyboard_alone_from_the_start_to_the_coupon(phone, offers):
    await offers("键盘也能领", per_member=1)
    await phone.go("首页")

    await tab_to(phone.page, "领券中心")
    await phone.page.keyboard.press("Enter")
    await phone.sees("键盘也能领")
    await tab_to(phone.page, "领取 键盘也能领")
    await phone.page.keyboard.press("Enter")
    await expect(phone.button("去使用 键盘也能领")).to_be_focused()
    await phone.page.keyboard.press("Enter")
    await tab_to(phone.page, "可用")
    await phone.page.keyboard.press("ArrowRight")
    await phone.sees("还没有用过的券")
    await phone.page.keyboard.press("ArrowLeft")
    await tab_to(phone.page, "键盘也能领")
    await phone.page.keyboard.press("Enter")

    await phone.sees("出示会员码即可使用", "使用规则")


@pytest.mark.usefixtures("kept_page")
async def test_without_a_network_the_last_list_stands_with_a_note(phone, offers):
    await offers("离线也看得到", per_member=1)
    await open_centre(phone)
    await phone.button("领取 离线也看得到").click()
    await phone.sees("领取成功，已放入卡券")
    await phone.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    await phone.page.context.set_offline(True)
    await phone.page.reload()
    await phone.button("返回").click()

    await phone.sees("离线也看得到", "没能连上服务器，以下是")
    await phone.page.get_by_role("link", name="离线也看得到").click()
    await phone.sees("连接网络后可查看完整规则", "出示会员码即可使用")
    await phone.page.context.set_offline(False)


async def test_everything_to_touch_is_large_enough(phone, offers):
    template = await offers("够大好按", total=90, per_member=2)
    await phone.page.evaluate(CLAIM_ELSEWHERE, template["id"])
    await open_centre(phone)
    await phone.sees("够大好按")
    small = await small_targets(phone.page)
    await phone.button("返回").click()
    await phone.go("卡券")
    await phone.sees("够大好按")
    small += await small_targets(phone.page)
    await phone.page.get_by_role("link", name="够大好按").click()
    await phone.sees("出示会员码即可使用")
    small += await small_targets(phone.page)

    assert small == []


async def test_pages_follow_as_one_scrolls_and_the_place_is_kept(phone, offers):
    template = await offers("很多张", per_member=60)
    for _ in range(23):
        await phone.page.evaluate(CLAIM_ELSEWHERE, template["id"])
    await phone.go("卡券")
    rows = phone.page.locator("a.ticket")
    await expect(phone.page.get_by_role("tab", name="可用 23")).to_be_visible()
    await rows.nth(19).scroll_into_view_if_needed()
    await expect(rows).to_have_count(23)
    await rows.nth(22).click()
    await phone.sees("出示会员码即可使用")

    await phone.button("返回").click()

    await expect(rows).to_have_count(23)
    await expect(rows.nth(22)).to_be_in_viewport()
