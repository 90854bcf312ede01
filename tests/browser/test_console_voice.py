"""Staff's desk of feedback and their boxes in Chromium: written down, answered, noted, closed, counted."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import TABLET, Clerk, console
from tests.browser.looks import faint_texts, small_targets
from tests.support import wire
from tests.support.cases import OWN, complain
from tests.support.members import register
from tests.support.suggestions import make_box, own_id, suggest, whisper

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def look(screen: Clerk, faults: list[str]) -> None:
    await expect(screen.page.locator(".toast:visible")).to_have_count(0)
    small = await small_targets(screen.page)
    # A box to tick lies in a label and a link of a list in its row, which are large enough; the way past the navigation
    # shows itself to the keyboard only.
    faults.extend(text for text in small if "跳到内容" not in text and not text.endswith((" 20 × 20", " × 32")))
    faults.extend(await faint_texts(screen.page))


async def test_a_case_is_written_down_answered_noted_closed_and_counted(chromium, server, chain, admin):
    faults: list[str] = []
    async with wire.connected(server.base_url) as client:
        phone = await register(client)
        made = await complain(phone, "牛奶过期了", store_id="S1")
        async with console(chromium, server, "#/cases") as screen:
            await screen.log_in("manager-S1")
            await screen.sees("反馈处理", "牛奶过期了", "已收到")
            await look(screen, faults)
            await screen.page.get_by_role("link", name="牛奶过期了").click()
            await screen.button("开始处理").click()
            await screen.sees("处理中")
            await screen.button("补偿", exact=True).click()
            dialog = screen.dialog("补偿")
            await dialog.get_by_label("补偿原因").fill("给您添麻烦了")
            await dialog.get_by_label("积分").fill("1001")
            await dialog.get_by_role("button", name="补偿", exact=True).click()
            await screen.sees("超过您可以补偿的额度或今天的件数")
            await dialog.get_by_label("积分").fill("200")
            await dialog.get_by_role("button", name="补偿", exact=True).click()
            await screen.sees("manager-s1 补偿 200 积分：给您添麻烦了")
            await expect(screen.button("补偿", exact=True)).to_have_count(0)
            await screen.button("内部备注").click()
            await screen.dialog("内部备注").get_by_role("textbox").fill("供应商批次问题")
            await screen.button("保存", exact=True).click()
            await screen.sees("供应商批次问题")
            await screen.page.get_by_role("textbox", name="答复").fill("请来店退款")
            await screen.button("发送答复").click()
            await screen.sees("请来店退款", "顾客说没解决")
            await look(screen, faults)
            await screen.button("办结", exact=True).click()
            await screen.dialog("办结").get_by_label("补偿").fill("酸奶一盒")
            await screen.dialog("办结").get_by_role("button", name="办结", exact=True).click()
            await screen.sees("已办结", "酸奶一盒")

            await screen.go("反馈处理")
            await screen.button("登记反馈").click()
            dialog = screen.dialog("登记反馈")
            await dialog.get_by_label("顾客说了什么").fill("排队太久")
            await dialog.get_by_label("姓名", exact=True).fill("李雷")
            await dialog.get_by_label("手机号", exact=True).fill("13900001234")
            await dialog.get_by_role("button", name="保存", exact=True).click()
            await screen.sees("留下姓名和手机号需要顾客同意")
            await dialog.get_by_role("checkbox").check()
            await dialog.get_by_role("button", name="保存", exact=True).click()
            await screen.sees("李** ****1234")
            await screen.button("查看联系方式").click()
            await screen.sees("13900001234")
            await screen.button("好的", exact=True).click()
            await screen.page.evaluate("location.hash = '#/case-figures'")
            await screen.sees("反馈统计", "投诉", "合计")
            await look(screen, faults)

        seen = (await phone.call("GET", f"{OWN}/{made['id']}")).json()
        assert (seen["state"], seen["compensation"]) == ("closed", "酸奶一盒")
        assert "供应商" not in str(seen)
    assert faults == []


async def test_a_box_is_made_and_what_is_in_it_is_answered(chromium, server, chain, admin):
    faults: list[str] = []
    async with wire.connected(server.base_url) as client:
        phone = await register(client)
        async with console(chromium, server, "#/suggestion-boxes", TABLET) as screen:
            await screen.log_in("admin")
            await screen.button("新建意见箱").click()
            dialog = screen.dialog("新建意见箱")
            await dialog.get_by_label("名称").fill("给总部的话")
            await dialog.get_by_role("checkbox", name="admin", exact=True).check()
            await dialog.get_by_role("button", name="保存", exact=True).click()
            await screen.sees("给总部的话", "开放")
            await look(screen, faults)
            (box,) = [
                one
                for one in (await phone.call("GET", "/v1/member/suggestion-boxes")).json()["items"]
                if one["title"] == "给总部的话"
            ]
            await suggest(phone, box, "早点开门")
            hidden = await whisper(phone, box, "排班太满")

            await screen.page.evaluate("location.hash = '#/suggestions'")
            await screen.sees("早点开门", "排班太满", "匿名")
            await look(screen, faults)
            await screen.page.get_by_role("link", name="排班太满").click()
            await screen.page.get_by_role("textbox", name="答复").fill("已要求各店调整")
            await screen.button("发送答复").click()
            await screen.sees("已答复", "已要求各店调整")
            await look(screen, faults)
            await screen.page.evaluate("location.hash = '#/suggestions'")
            await screen.page.get_by_role("link", name="统计", exact=True).click()
            await screen.sees("意见箱统计", "给总部的话", "共 2 条，其中匿名 1 条，已答复 1 条")
            await look(screen, faults)
            await screen.page.get_by_role("link", name="按意见箱").click()
            await screen.sees("意见箱：各箱收到")

        read = await phone.client.get(
            "/v1/anonymous/suggestion", headers={"Authorization": f"Bearer {hidden['receipt']}"}
        )
        assert [one["text"] for one in read.json()["messages"]] == ["排班太满", "已要求各店调整"]
    assert faults == []


async def test_head_office_sees_no_box_of_others(chromium, server, chain, admin):
    async with wire.connected(server.base_url) as client:
        phone = await register(client)
        staff = (await admin.get("/v1/admin/staff")).json()["items"]
        manager = next(one["id"] for one in staff if one["username"] == "manager-s2")
        box = await make_box(admin, manager, title="只给店长")
        await suggest(phone, box, "不给总部看")
        async with console(chromium, server, "#/suggestions?state=all") as screen:
            await screen.log_in("manager-S2")
            await screen.sees("不给总部看")
        async with console(chromium, server, "#/suggestions?state=all") as screen:
            await screen.log_in("admin")
            await screen.sees("意见箱")
            await expect(screen.page.get_by_text("不给总部看")).to_have_count(0)
    assert await own_id(admin) != manager
