"""Head office defines an attribute, a member fills it in on the phone, staff find and change it, and a till is told."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from backend.members import queries
from tests.browser.actors import Member
from tests.browser.desk import console
from tests.browser.shop import ask
from tests.browser.test_console_notices import look, shoot
from tests.browser.test_phone_notices import shoot as shoot_phone
from tests.support import wire
from tests.support.members import random_phone, register

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_head_office_defines_what_it_wants_to_know(chromium, server, chain, admin):
    async with console(chromium, server, "#/member-attributes") as screen:
        await screen.log_in("admin")
        await screen.sees("还没有扩展属性")
        await screen.button("新增属性").first.click()
        await screen.page.get_by_label("类型").select_option(label="单选")
        await screen.button("保存").last.click()
        dialog = screen.page.get_by_role("dialog")
        await dialog.get_by_label("代码 *").fill("city")
        await dialog.get_by_label("名称 *").fill("所在城市")
        await dialog.get_by_label("选项", exact=False).first.fill("sh 上海\nbj 北京\nold 旧城 ×")
        await dialog.get_by_label("分组").fill("住址")
        await dialog.get_by_label("扫码后收银台可见").check()
        await screen.button("保存").last.click()
        await screen.sees("所在城市", "单选", "住址")
        await screen.sees("会员可自行修改的资料")
        await look(screen)
        await shoot(screen, "console-member-attributes")

    (made,) = (await admin.get("/v1/admin/member-attributes")).json()["items"]
    assert (made["code"], made["at_till"]) == ("city", True)
    assert [(one["code"], one["closed"]) for one in made["options"]] == [("sh", False), ("bj", False), ("old", True)]
    queries.forget_attributes()


async def test_a_member_fills_it_in_and_staff_find_and_change_it(
    chromium, server, chain, admin, phone: Member, monkeypatch
):
    await phone.page.get_by_role("link", name="我的").click()
    await phone.page.get_by_text("个人资料").click()
    await phone.page.get_by_label("所在城市").select_option(label="上海")
    await shoot_phone(phone, "phone-profile-attributes")
    await phone.button("保存").click()
    await phone.sees("已保存")

    member_id = int((await ask(phone, "GET", "/v1/member/profile"))["id"])
    assert (await queries.get_member(member_id)).attributes == {"city": "sh"}
    async with wire.connected(server.base_url) as client:
        await register(client)  # newer, and without a city
    household = {"code": "household", "name": "家庭人数", "type": "number"}
    assert (await admin.post("/v1/admin/member-attributes", household)).status_code == 201
    async with console(chromium, server, "#/members") as screen:
        await screen.log_in("admin")
        await screen.button("筛选").click()
        dialog = screen.page.get_by_role("dialog")
        await dialog.get_by_text("按扩展属性筛选").click()
        await dialog.get_by_role("group", name="所在城市").get_by_label("上海").check()
        await dialog.get_by_role("button", name="筛选").click()
        await screen.sees("已筛选")
        await expect(screen.page.get_by_role("row")).to_have_count(2)
        await shoot(screen, "console-members-filtered")
        await screen.button("清除筛选").click()
        await filter_by_ranges(screen)
        await screen.button("清除筛选").click()
        await expect(screen.page.get_by_role("row")).to_have_count(3)
        for bound in ("LOOKED_AT", "LEAST"):
            monkeypatch.setattr(f"backend.members.queries.finding.{bound}", 1)
        await find_beyond_a_page_without_anybody(screen)
        await screen.page.get_by_role("link", name="资料").last.click()
        await screen.sees("住址", "上海", "变更记录", "会员本人")
        await screen.button("修改资料").click()
        dialog = screen.page.get_by_role("dialog")
        await dialog.get_by_label("所在城市").select_option(label="北京")
        await dialog.get_by_label("原因 *").fill("来电更正")
        await dialog.get_by_role("button", name="保存").click()
        await screen.sees("北京", "上海 → 北京", "来电更正")
        await look(screen)
        await shoot(screen, "console-member")


async def filter_by_ranges(screen) -> None:
    """Ranges, emptiness, validity: what cannot be is said at its field, and what nobody meets has no rows."""
    await screen.button("筛选").click()
    dialog = screen.page.get_by_role("dialog")
    await dialog.get_by_label("有效期止，从").fill("2020-01-01")
    await dialog.get_by_text("按扩展属性筛选").click()
    await dialog.get_by_label("家庭人数 从").fill("几")
    await dialog.get_by_role("button", name="筛选").click()
    await screen.sees("请填数字")
    await dialog.get_by_label("家庭人数 从").fill("3")
    await dialog.get_by_label("家庭人数 到").fill("2")
    await dialog.get_by_role("button", name="筛选").click()
    await screen.sees("“从”不能大于“到”")
    await dialog.get_by_label("家庭人数 到").fill("5")
    await dialog.get_by_role("group", name="未填写").get_by_label("所在城市").check()
    await shoot(screen, "console-members-filter")
    async with screen.page.expect_request("**/v1/admin/members/search") as asked:
        await dialog.get_by_role("button", name="筛选").click()
    assert (await asked.value).post_data_json == {
        "status": "active",
        "valid_until_from": "2020-01-01",
        "attributes": [{"code": "household", "at_least": 3, "at_most": 5}, {"code": "city", "empty": True}],
        "limit": 1,
    }
    await screen.sees("没有这种状态的会员")


async def find_beyond_a_page_without_anybody(screen) -> None:
    """Where a page looked at members of whom none is meant, the list looks on."""
    await screen.button("筛选").click()
    dialog = screen.page.get_by_role("dialog")
    await dialog.get_by_text("按扩展属性筛选").click()
    await dialog.get_by_role("group", name="已填写").get_by_label("所在城市").check()
    await dialog.get_by_role("button", name="筛选").click()
    await screen.sees("已筛选")
    await expect(screen.page.get_by_role("row")).to_have_count(2)


async def test_a_member_changes_the_number_with_the_pin_and_what_is_refused_says_how_to_go_on(
    chromium, server, chain, admin, phone: Member
):
    taken, free, pin = random_phone(), random_phone(), "135790"
    async with wire.connected(server.base_url) as client:
        await register(client, phone=taken)
    await ask(phone, "PUT", "/v1/member/pin", {"pin": pin})
    await phone.page.reload()
    await phone.page.get_by_role("link", name="我的").click()
    await phone.page.get_by_text("个人资料").click()
    await phone.button("更换").click()
    await phone.sees("更换手机号", "需要输入支付密码")
    await shoot_phone(phone, "phone-number")

    async def verify(number: str) -> None:
        await phone.button("用微信验证新手机号").click()
        await phone.field("手机号").fill(number)
        await phone.button("允许", exact=True).click()

    await verify(taken)
    await phone.tap_digits("000000")
    await phone.sees("还可尝试 4 次")
    await shoot_phone(phone, "phone-number-pin")
    await phone.tap_digits(pin)
    await phone.sees("这个手机号已经是会员")
    await verify(free)
    await phone.tap_digits(pin)
    await phone.sees(f"手机号已换为 {free[:3]}****{free[-4:]}", "个人资料")
    member_id = await queries.find_id_by_phone(free)
    assert member_id == int((await ask(phone, "GET", "/v1/member/profile"))["id"])

    rules = (await admin.get("/v1/admin/member-fields")).json()
    locked = {"version": rules["version"], "changes": rules["changes"] | {"phone": 0, "gender": 0}}
    assert (await admin.call("PUT", "/v1/admin/member-fields", locked)).status_code == 200
    await phone.page.reload()
    await phone.sees("如需更改，请联系门店")
    await expect(phone.button("更换")).to_be_disabled()
    await expect(phone.page.get_by_role("radio", name="女")).to_be_disabled()
    await shoot_phone(phone, "phone-number-locked")
