"""The console's screens of staff: invitations, roles, one's own login, approvals, the audit log."""

from __future__ import annotations

import uuid

import pyotp
import pytest
from playwright.async_api import expect

from backend.kernel import clock
from tests.browser.desk import console
from tests.support.approvals import ask
from tests.support.staff import hire, log_in

pytestmark = pytest.mark.browser

PASSWORD = "green horses run 7"


async def test_somebody_is_invited_joins_sets_a_second_factor_and_changes_the_password(chromium, server, chain, client):
    name = f"n{uuid.uuid4().hex[:8]}"
    async with console(chromium, server, "#/staff") as screen:
        await screen.log_in("admin")
        await screen.page.get_by_role("button", name="邀请员工").click()
        form = screen.dialog("邀请员工")
        await form.get_by_label("用户名").fill(name)
        await form.get_by_label("角色").select_option("manager")
        await form.get_by_label("门店").select_option("S1")
        await form.get_by_role("button", name="保存").click()
        link = await screen.dialog("邀请链接").locator(".secret").inner_text()
        await screen.page.keyboard.press("Escape")
        await screen.sees("等待使用")

    async with console(chromium, server, link.partition("/admin")[2]) as screen:
        await screen.sees("设置密码")
        await screen.page.get_by_label("新密码").fill("password123")
        await screen.page.get_by_label("再输一遍").fill("password123")
        await screen.page.get_by_role("button", name="保存").click()
        await screen.sees("is one that many people use")
        await screen.page.get_by_label("新密码").fill(PASSWORD)
        await screen.page.get_by_label("再输一遍").fill(PASSWORD)
        await screen.page.get_by_role("button", name="保存").click()
        await screen.sees(f"{name} 的密码已设置")
        await screen.log_in(name, PASSWORD)
        await screen.sees("店长")

        await screen.go("我的账户")
        await screen.page.get_by_role("button", name="设置动态验证码").click()
        await screen.dialog("设置动态验证码").get_by_label("当前密码").fill(PASSWORD)
        await screen.page.keyboard.press("Enter")
        secret = await screen.dialog("密钥").locator(".secret").inner_text()
        await screen.dialog("密钥").get_by_label("6 位动态验证码").fill(pyotp.TOTP(secret).at(clock.now()))
        await screen.page.keyboard.press("Enter")
        await expect(screen.dialog("恢复码").locator(".secret")).to_have_count(10)
        code = await screen.dialog("恢复码").locator(".secret").first.inner_text()
        await screen.page.keyboard.press("Escape")
        await screen.sees("剩余恢复码")

        await screen.page.get_by_role("button", name="修改密码").click()
        form = screen.dialog("修改密码")
        await form.get_by_label("当前密码").fill(PASSWORD)
        await form.get_by_label("新密码").fill("blue horses rest 8")
        await form.get_by_label("再输一遍").fill("blue horses rest 8")
        await screen.page.keyboard.press("Enter")
        await screen.sees("员工登录")
        await screen.log_in(name, "blue horses rest 8", code)
        await screen.sees("登录会话")


async def test_approvals_are_decided_roles_are_changed_and_the_log_says_so(chromium, server, chain, client):
    admin = await log_in(client, chain, "admin")
    made = await ask(admin, "外滩店")
    _, name = await hire(admin, "manager")
    async with console(chromium, server) as screen:
        await screen.log_in(name, PASSWORD)
        await screen.sees("项待审批")
        await screen.go("审批")
        await screen.page.get_by_role("button", name="批准 改名为外滩店").click()
        await screen.page.get_by_role("dialog").get_by_role("button", name="批准").click()
        await screen.sees("没有待审批的事项")
        await screen.page.get_by_role("link", name="全部").click()
        await screen.sees("已批准")
        await screen.page.get_by_role("link", name="账号有关联").click()
        tied = screen.page.get_by_role("row").filter(has_text="改名为外滩店")
        await expect(tied.get_by_role("cell").last).to_have_text("admin")
        await screen.go("操作日志")
        await screen.sees("批准")
        await screen.page.get_by_role("row").filter(has_text=made.id).first.click()
        await expect(screen.dialog("操作详情")).to_contain_text("test_rename")
        await expect(screen.dialog("操作详情")).to_contain_text(made.id)

    async with console(chromium, server, "#/roles") as screen:
        await screen.log_in("admin")
        await screen.sees("会员中心")
        await screen.page.get_by_role("button", name="新增角色").click()
        form = screen.dialog("新增角色")
        await form.get_by_label("代码").fill("greeter")
        await form.get_by_label("名称").fill("迎宾")
        await form.get_by_label("查看门店", exact=True).check()
        await form.get_by_role("button", name="保存").click()
        await screen.sees("迎宾")
        await screen.page.get_by_role("button", name="删除 迎宾").click()
        await screen.page.get_by_role("dialog").get_by_role("button", name="删除").click()
        await expect(screen.page.get_by_text("迎宾", exact=True)).to_have_count(0)
