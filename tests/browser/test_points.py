"""Points on the phone page and in the console: how one earns, giving them away, rules tried before they live."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import known_member, there
from tests.points.test_transfers import PATH, earn
from tests.support.members import register
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def look(page):
    """Nothing is too faint or too small; the skip link is out of sight."""
    assert await faint_texts(page) == []
    assert [text for text in await small_targets(page) if "跳到内容" not in text] == []


async def shoot(page, name):
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


class Holder:
    """Somebody with points, by the id that the page knows."""

    def __init__(self, member_id: int) -> None:
        self.member_id = member_id


async def test_head_office_writes_a_rule_tries_it_and_lets_it_live(chromium, server, chain, admin):
    async with console(chromium, server, "#/points-rules") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.button("新建基础规则").click()
        await screen.field("名称").fill("饮料三倍")
        await screen.field("每 1 元几积分").fill("3")
        await screen.field("类目编号（逗号分隔，不填不限）").fill("drinks")
        await screen.button("保存").click()
        await expect(page.get_by_role("cell", name="饮料三倍", exact=True)).to_be_visible()
        await screen.button("试算").click()
        await screen.field("商品编号 数量 单价（每行一种，如 6901 2 3.50）").fill("6901 1 10.00\n6902 1 10.00")
        await page.get_by_label("把这条草稿当作已生效").select_option(label="饮料三倍")
        await page.get_by_role("dialog").get_by_role("button", name="试算").click()
        await screen.sees("应付 ¥20.00，共得 50 积分", "30 分：饮料三倍 30", "20 分：基础积分 20")
        await shoot(page, "console-points-try")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await screen.button("启用 饮料三倍").click()
        await expect(page.get_by_role("cell", name="生效中")).to_be_visible()
        await screen.sees("积分有效期", "几个月后的月底")
        await shoot(page, "console-points-rules")
        await look(page)
        rules = (await admin.get("/v1/admin/points-rules?state=active")).json()["items"]
        assert [rule["terms"]["rate_bp"] for rule in rules] == [30_000]
        await screen.button("停用 饮料三倍").click()
        await expect(page.get_by_role("cell", name="已停用")).to_be_visible()


async def test_staff_adjust_a_member_and_see_what_is_wrong_with_a_table(chromium, server, chain, client, tmp_path):
    member = await register(client)
    file = tmp_path / "points.csv"
    number = member.member["member_no"]
    file.write_text(
        f"member_no,points,reason,text\n{number},5,goodwill,中秋\nnobody,5,goodwill,中秋\n", encoding="utf-8"
    )
    async with console(chromium, server, "#/points-adjust") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.button("调整一位会员").click()
        await screen.field("会员号或手机号").fill(number)
        await screen.field("积分（扣减填负数）").fill("120")
        await screen.field("说明").fill("等了太久")
        await screen.button("保存").click()
        await screen.sees("已提交，等待另一人审批")
        await screen.button("导入表格").click()
        await screen.field("名称").fill("中秋回馈")
        await page.locator("input[type=file]").set_input_files(file)
        await page.get_by_role("dialog").get_by_role("button", name="试算").click()
        await screen.sees("试算结果", "第 3 行 member_no", "there is no such member")
        await shoot(page, "console-points-dry-run")
        await screen.button("跳过有误的行，导入其余").click()
        await expect(page.get_by_role("cell", name="待审批")).to_be_visible()
        await shoot(page, "console-points-adjust")
        await look(page)


async def test_a_member_gives_points_to_a_friend_by_number_and_pin(chromium, server, chain, client):
    friend = await register(client, name="李小红")
    async with known_member(chromium, server) as phone:
        mine = await phone.page.evaluate(
            "async () => { const { createApi } = await import('/static/shared/api.js');"
            " const { wx } = await import('/static/wx.js');"
            " const api = createApi(wx); await api.put('/v1/member/pin', { pin: '135790' });"
            " return (await api.get('/v1/member/profile')).id; }"
        )
        await earn(Holder(int(mine)), (300, None))
        await there(phone, "points")
        await phone.sees("可用积分", "300", "怎样得积分", "每消费 1 元得 1 积分", "还没有转赠记录")
        await shoot(phone.page, "phone-points")
        await phone.button("转赠积分").click()
        await phone.field("对方会员号").fill("0")
        await phone.button("查找").click()
        await phone.sees("没有找到相关内容")
        await phone.field("对方会员号").fill(friend.member["member_no"])
        await phone.button("查找").click()
        await phone.sees("李**")
        await phone.field("转赠多少").fill("301")
        await phone.button("确认转赠").click()
        await phone.sees("请输入 1 到 300 之间的整数")
        await phone.field("转赠多少").fill("120")
        await shoot(phone.page, "phone-points-give")
        await phone.button("确认转赠").click()
        await phone.page.keyboard.type("000000")
        await phone.sees("支付密码不正确")
        await phone.page.keyboard.type("135790")
        await phone.sees("转给 李**", "−120", "180")
        await shoot(phone.page, "phone-points-after")
        await look(phone.page)
    assert (await friend.wallet())["points"]["available"] == 120
    assert await findings(server.settings) == []


async def test_staff_ask_for_a_transfer_back(chromium, server, chain, client):
    giver, friend = await register(client), await register(client, name="李小红")
    await earn(giver, (100, None))
    assert (await giver.call("PUT", "/v1/member/pin", {"pin": "121212"})).status_code == 204
    named = (await giver.call("POST", f"{PATH}/recipient", {"member_no": friend.member["member_no"]})).json()
    body = named | {"points": 40, "pin": "121212"}
    assert (await giver.call("POST", f"{PATH}/transfers", body, key="browser")).status_code == 201
    async with console(chromium, server, "#/points-transfers") as screen:
        await screen.log_in("admin")
        await screen.sees("先查找一位会员")
        await screen.button("查找会员").click()
        await screen.field("会员号或手机号").fill(giver.member["member_no"])
        await screen.page.get_by_role("dialog").get_by_role("button", name="查找会员").click()
        await screen.sees("李**", "40", "已完成")
        await screen.page.get_by_role("button", name="撤回").click()
        await screen.field("原因").fill("转错人了")
        await screen.page.get_by_role("dialog").get_by_role("button", name="撤回").click()
        await screen.sees("已提交，等待另一人审批")
        await shoot(screen.page, "console-points-transfers")
        await look(screen.page)
