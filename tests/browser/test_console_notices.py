"""Head office announces, writes the handbook and starts a care plan; a store's manager sees to today's birthdays."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from backend.care.commands import carrying, running
from backend.kernel import clock, db
from tests.browser.desk import Clerk, console
from tests.browser.looks import faint_texts, small_targets
from tests.support.care import born_today
from tests.support.members import register
from tests.support.pictures import picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_head_office_announces_with_a_preview_and_sees_who_read_it(chromium, server, chain, client, tmp_path):
    member = await register(client)
    shot = tmp_path / "cover.png"
    shot.write_bytes(picture(size=(1200, 675), color="#0B7A5B"))
    async with console(chromium, server, "#/announcements") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.button("写公告").click()
        await screen.field("标题").fill("国庆营业时间")
        await screen.field("摘要").fill("照常营业")
        await screen.field("正文").fill("**照常** 营业 [坏](javascript:1)")
        await screen.sees("a link leads to https://")
        await screen.field("正文").fill("**照常** 营业")
        async with page.expect_file_chooser() as chosen:
            await screen.button("上传封面").click()
        await (await chosen.value).set_files(shot)
        preview = page.get_by_role("complementary", name="手机上的样子")
        await expect(preview.get_by_role("heading", name="国庆营业时间")).to_be_visible()
        await expect(preview.locator("strong")).to_have_text("照常")
        await expect(preview.locator("img")).to_have_js_property("naturalWidth", 1200)
        await look(screen)
        await shoot(screen, "console-announcement")
        await screen.button("保存草稿").click()
        await screen.sees("草稿已保存")
        await screen.button("发布", exact=True).click()
        await screen.dialog("发布“国庆营业时间”？").get_by_role("button", name="发布").click()
        await screen.sees("显示中")

        (item,) = (await member.call("GET", "/v1/member/announcements")).json()["items"]
        assert item["title"] == "国庆营业时间"
        await member.call("POST", f"/v1/member/announcements/{item['id']}/read")
        await screen.button("到达 国庆营业时间").click()
        await screen.sees("到达率", f"王** {member.member['member_no']}")
        await page.keyboard.press("Escape")
        await shoot(screen, "console-announcements")
        await look(screen)
        await screen.button("撤回 国庆营业时间").click()
        await page.get_by_role("dialog").get_by_role("button", name="撤回").click()
        await expect(page.get_by_role("cell", name="已撤回")).to_be_visible()


async def test_head_office_writes_a_chapter_and_restores_an_old_version(chromium, server, chain):
    async with console(chromium, server, "#/handbook?view=edit") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.button("新建章节").first.click()
        await screen.field("章节").fill("退货与换货")
        await screen.button("保存", exact=True).click()
        await screen.field("正文").fill("七天内可退\n须有小票")
        await screen.button("发布", exact=True).click()
        await screen.sees("已发布", "当前")
        await screen.field("正文").fill("十天内可退\n须有小票")
        await screen.button("保存草稿").click()
        await screen.sees("草稿已保存")
        await screen.button("发布", exact=True).click()
        await expect(screen.button("恢复为草稿 1")).to_be_visible()
        await shoot(screen, "console-chapter")
        await look(screen)
        await screen.button("与当前比较 1").click()
        await screen.sees("− 七天内可退", "+ 十天内可退")
        await page.keyboard.press("Escape")
        await screen.button("恢复为草稿 1").click()
        await expect(screen.field("正文")).to_have_value("七天内可退\n须有小票")
        await screen.button("发布", exact=True).click()
        await screen.sees("已发布")
        await screen.go("服务手册")
        await page.get_by_role("searchbox", name="搜索手册").fill("怎么退货")
        await page.get_by_role("link", name="退货与换货").first.click()
        await screen.sees("七天内可退")
        await shoot(screen, "console-handbook")


async def test_a_manager_sees_to_todays_birthdays(chromium, server, chain, client):
    member = await register(client)
    await born_today(member)
    await db.fetchval("UPDATE member SET store_id = 'S1' WHERE id = $1", member.member_id)
    async with console(chromium, server, "#/care-plans") as screen:
        await screen.log_in("admin")
        await screen.button("新建计划").click()
        await screen.field("名称").fill("生日祝福")
        await screen.field("送积分").fill("88")
        await screen.button("保存", exact=True).click()
        await screen.button("启用 生日祝福").click()
        await expect(screen.button("暂停 生日祝福")).to_be_visible()
        await running.run_due(clock.now())
        await carrying.carry_out_due()
        await screen.button("效果 生日祝福").click()
        await screen.sees("样本太少，还不能下结论。")
        await screen.page.keyboard.press("Escape")
        await look(screen)
        await shoot(screen, "console-plans")
        await screen.button("退出登录").click()

        await screen.log_in("manager-S1")
        await screen.sees("项关怀待办")
        await screen.go("关怀待办")
        await screen.sees("今天生日")
        await screen.button("看号码 王**").first.click()
        await screen.sees("谁看过号码会留下记录")
        await screen.button("好", exact=False).last.click()
        await look(screen)
        await shoot(screen, "console-care")
        await screen.button("我来 王**").last.click()
        await expect(screen.button("交回 王**").last).to_be_visible()
        await screen.button("完成 王**").first.click()
        await screen.field("情况").fill("很高兴")
        await screen.page.get_by_role("dialog").get_by_role("button", name="完成").click()
        await screen.sees("已问候")


async def look(screen: Clerk) -> None:
    # the skip link is out of sight, a box is ticked by its whole label, a row is opened wherever it is touched
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text and text != " 20 × 20"]
    assert [text for text in small if not text.endswith(" × 32")] == []
    assert await faint_texts(screen.page) == []


async def shoot(screen: Clerk, name: str) -> None:
    """A picture for eyes, where somebody asks for it."""
    if folder := os.environ.get("SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png")
