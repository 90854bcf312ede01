"""Becoming a member on both pages, refused and found again; tables, many at once and log-ins in the console."""

from __future__ import annotations

import os

import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.kernel.jobs import runner
from backend.worker import load
from tests.browser.actors import PHONE, Member, Screen, open_screen
from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import there
from tests.registration.test_applications import known
from tests.support.members import random_phone
from tests.support.seed import Chain, seed_chain

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    load()
    return await seed_chain(server.base_url)


async def shoot(screen: Screen, name: str) -> None:
    """A picture for whoever wants to look, where ``SHOTS`` names a folder."""
    if folder := os.environ.get("SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def look(screen: Screen) -> None:
    """Nothing is too small to touch or too faint to read; the skip link is out of sight."""
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text]
    assert [text for text in small if not text.endswith((" × 32", " × 28"))] == []
    assert await faint_texts(screen.page) == []


async def over(desk: Screen) -> None:
    """The dialog is closed, so what it asked for is done, and the list has begun anew."""
    await expect(desk.page.get_by_role("dialog")).to_have_count(0)
    await desk.page.wait_for_load_state("networkidle")


async def test_staff_set_rules_and_decide_and_whom_they_refuse_reads_why(chromium, server, chain):
    async with (
        console(chromium, server, "#/registrations") as desk,
        open_screen(chromium, server.base_url, PHONE, kind=Member) as phone,
    ):
        await desk.log_in("admin")
        await desk.page.get_by_role("button", name="审核方式与规则").click()
        await desk.page.get_by_label("审核方式", exact=True).select_option("rules")
        await desk.page.get_by_label("规则（每行一条").fill("未成年 | age<=17 | reject | 须年满 18 岁")
        await shoot(desk, "console-registration-rules")
        await desk.page.get_by_role("button", name="保存").click()
        await desk.sees("几秒内生效")

        await phone.join(random_phone(), "赵小敏", then="注册已提交")
        await shoot(phone, "phone-pending")
        await desk.page.reload()
        await desk.sees("赵小敏")
        await look(desk)
        await shoot(desk, "console-registrations")
        await desk.page.get_by_role("button", name="拒绝 赵小敏").click()
        await desk.page.get_by_label("原因").fill("请到门店核对资料")
        await desk.page.get_by_role("dialog").get_by_role("button", name="拒绝").click()
        await desk.sees("没有这样的申请")

        await phone.page.reload()
        await phone.sees("注册没有通过", "请到门店核对资料")
        await look(phone)
        await shoot(phone, "phone-refused")

        old = random_phone()
        await known(old, name="赵敏")
        await phone.button("重新申请").click()
        await phone.fill_registration(old, "赵小敏")
        await phone.sees("姓名为赵敏")
        await there(phone, "devices")
        await phone.sees("已登录的地方", "本机")
        await look(phone)
        await shoot(phone, "phone-sessions")


async def test_members_come_from_a_table_and_are_changed_at_once(chromium, server, chain, settings, tmp_path):
    table = tmp_path / "old.csv"
    table.write_text(
        f"手机号,姓名,积分\n{random_phone()},钱多,0\n{random_phone()},孙二,\n12,李三,\n", encoding="gb18030"
    )
    async with console(chromium, server, "#/member-imports") as desk:
        await desk.log_in("admin")
        await desk.page.get_by_role("button", name="导入表格").click()
        await desk.page.get_by_label("名称").fill("旧系统")
        await desk.page.get_by_label("CSV 或 XLSX 表格").set_input_files(table)
        await desk.page.get_by_role("button", name="检查", exact=True).click()
        await desk.sees("排队中")
        await runner.run_waiting(settings)
        await desk.page.get_by_role("button", name="刷新").click()
        await desk.sees("待开始")
        await desk.page.get_by_role("button", name="详情 旧系统").click()
        await desk.sees("第 4 行 手机号")
        await shoot(desk, "console-import-flaws")
        await desk.page.get_by_role("dialog").get_by_role("button").last.click()
        await desk.page.get_by_role("button", name="开始 旧系统").click()
        await desk.sees("跳过 1 行有误的，导入其余 2 位")
        await desk.page.get_by_role("dialog").get_by_role("button", name="开始").click()
        await over(desk)
        await runner.run_waiting(settings)
        await desk.page.get_by_role("button", name="刷新").click()
        await desk.sees("已完成")
        await look(desk)
        await shoot(desk, "console-imports")

        await desk.go("批量任务")
        await desk.page.get_by_role("button", name="新的批量变更").click()
        await desk.page.get_by_label("变更事项").select_option("validity")
        await desk.page.get_by_role("button", name="下一步").click()
        await desk.page.get_by_label("有效期至").fill("2027-12-31")
        await desk.page.get_by_label("原因").fill("统一年卡")
        await desk.page.get_by_role("button", name="看看有谁").click()
        await desk.page.get_by_role("button", name="提交").click()
        await over(desk)
        await expect(desk.page.get_by_text("统一年卡")).to_be_visible()
        await runner.run_waiting(settings)
        await desk.page.get_by_role("button", name="刷新").click()
        await desk.sees("已完成")
        await look(desk)
        await shoot(desk, "console-batches")


async def test_head_office_sets_when_and_from_where_staff_log_in(chromium, server, chain):
    async with console(chromium, server, "#/login-control") as desk:
        await desk.log_in("admin")
        await desk.page.get_by_role("button", name="修改").click()
        await desk.page.get_by_label("登录时段").fill("1,2,3,4,5 09:00-22:00 clerk S1\n6 x")
        await desk.page.get_by_role("button", name="保存").click()
        await desk.sees("第 2 行看不懂")
        await desk.page.get_by_label("登录时段").fill("1,2,3,4,5 09:00-22:00 clerk S1")
        await desk.page.get_by_role("button", name="保存").click()
        await over(desk)
        await desk.sees("1,2,3,4,5 09:00-22:00 clerk S1", "已知")
        await look(desk)
        await shoot(desk, "console-login-control")
