"""Head office writes a care plan in full: for whom, with which gift, whose to-dos, when; changes the draft; ends it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import console
from tests.browser.test_console_notices import look, shoot
from tests.support.care import PLANS
from tests.support.coupons import make_template

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_plan_is_written_in_full_changed_while_it_is_a_draft_and_ended(chromium, server, chain, admin):
    template = await make_template(admin, title="生日券")
    staff = {one["username"]: one["id"] for one in (await admin.get("/v1/admin/staff")).json()["items"]}

    async with console(chromium, server, "#/care-plans") as screen:
        await screen.log_in("admin")
        await screen.button("新建计划").click()
        form = screen.dialog("新建计划")
        await screen.field("名称").fill("金卡生日电话")
        await form.get_by_text("按条件选择").click()
        await form.get_by_label("女", exact=True).check()
        await form.get_by_label("5 月", exact=True).check()
        await form.get_by_label("南京路店").check()
        await form.get_by_label("方式").select_option("call")
        await form.get_by_label("送积分").fill("66")
        await form.get_by_label("送优惠券").select_option(label="生日券")
        await form.get_by_label("待办给谁").select_option(label="manager-s1")
        await form.get_by_label("几点开始").fill("24")
        await form.get_by_label("待办期限").fill("7")
        await look(screen)
        await shoot(screen, "console-plan-form")
        await screen.button("保存", exact=True).click()
        await screen.sees("请检查标红的内容")
        await form.get_by_label("几点开始").fill("10")
        await screen.button("保存", exact=True).click()
        await expect(screen.button("修改 金卡生日电话")).to_be_visible()
        (made,) = [one for one in (await admin.get(PLANS)).json()["items"] if one["title"] == "金卡生日电话"]

        await screen.button("修改 金卡生日电话").click()
        form = screen.dialog("金卡生日电话")
        await expect(form.get_by_label("女", exact=True)).to_be_checked()
        await expect(form.get_by_label("送积分")).to_have_value("66")
        await form.get_by_label("待办给谁").select_option(label="会员所属门店")
        await form.get_by_label("送优惠券").select_option(label="不送")
        await screen.button("保存", exact=True).click()
        await expect(screen.page.get_by_role("dialog")).to_have_count(0)
        await screen.page.wait_for_load_state("networkidle")  # until then the row stands as it was
        await screen.button("查看 金卡生日电话").click()
        await screen.sees("女；生日月份 5 月", "66 积分", "会员所属门店")
        await look(screen)
        await shoot(screen, "console-plan")
        await screen.page.keyboard.press("Escape")
        await screen.button("结束 金卡生日电话").click()
        await screen.dialog("结束“金卡生日电话”？").get_by_role("button", name="结束").click()
        await screen.sees("已结束")

    assert made["audience"]["genders"] == ["female"]
    assert made["audience"]["birthday_months"] == [5]
    assert made["audience"]["store_ids"] == ["S1"]
    assert made["gift"] == {"points": 66, "template_id": template["id"]}
    assert (made["owner_id"], made["hour"], made["due_days"], made["how"]) == (staff["manager-s1"], 10, 7, "call")
    now = (await admin.get(f"{PLANS}/{made['id']}")).json()
    assert (now["gift"], now["owner_id"], now["state"], now["version"]) == ({"points": 66}, None, "ended", 2)
    assert now["audience"] == made["audience"]
