"""Head office rules levels and agrees with a company; a member sees their level on the phone."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from backend.kernel import db, outbox
from backend.lifecycle import queries
from backend.lifecycle.commands import clockwork, runs
from backend.members import queries as members
from tests.browser.actors import Member
from tests.browser.desk import console
from tests.browser.shop import ask
from tests.browser.test_console_notices import look, shoot
from tests.browser.test_phone_notices import look as look_at_phone
from tests.browser.test_phone_notices import shoot as shoot_phone
from tests.support.members import register

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def run_all() -> None:
    """What the worker does with a run."""
    queries.forget_rules()
    while await runs.go_on():
        pass
    await outbox.drain()


async def test_rules_are_tried_and_hold_and_are_seen_on_the_phone(
    chromium, server, chain, admin, client, phone: Member
):
    if "silver" not in await members.levels():
        body = {"code": "silver", "name": "银卡", "growth_from_fen": 10_000, "discount_bp": 200}
        made = await admin.post("/v1/admin/levels", body | {"benefits": ["生日双倍积分"]})
        assert made.status_code == 201, made.text
    profile = await ask(phone, "GET", "/v1/member/profile")
    member_id, number = profile["id"], profile["member_no"]

    async with console(chromium, server, "#/levels") as screen:
        await screen.log_in("admin")
        await screen.button("改银卡的规则").click()
        form = screen.dialog("改银卡的规则")
        await form.get_by_label("怎样升级").select_option("rule")
        await form.get_by_label("消费满（元）", exact=True).fill("100")
        await form.get_by_label("宽限天数").fill("7")
        await screen.button("保存", exact=True).click()
        await screen.sees("有未生效的改动", "近 12 个月消费满 ¥100.00升级", "宽限 7 天")
        await screen.button("试算影响").click()
        await screen.sees("人，0 人变动")  # it has begun
        await run_all()
        await screen.sees("人里有 0 人变动", "没有会员会变动")
        await look(screen)
        await shoot(screen, "console-levels")
        await screen.button("生效").click()
        await screen.dialog("让新规则生效？").get_by_role("button", name="生效").click()
        await screen.sees("已生效，正在核对会员")
        await expect(screen.page.get_by_text("有未生效的改动")).to_have_count(0)
        await run_all()

        await screen.page.goto(f"{server.base_url}/admin#/level?id={member_id}")
        await screen.button("授予等级").click()
        form = screen.dialog("授予等级")
        await form.get_by_label("等级").select_option("silver")
        await form.get_by_label("原因").fill("周年庆抽奖")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("周年庆抽奖")
        await screen.button("设为大客户").click()
        form = screen.dialog("设为大客户")
        await form.get_by_label("至少的折扣（减百分之几）").fill("12")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("88折", "结束约定")
        await look(screen)
        await shoot(screen, "console-level")

        await clockwork.count_stages()
        await screen.page.goto(f"{server.base_url}/admin#/stages")
        await screen.sees("规则（从上往下，先符合的算数）", "从未购物", "其余会员")
        await look(screen)
        await shoot(screen, "console-stages")

        await screen.page.goto(f"{server.base_url}/admin#/groups")
        await screen.button("新建团体").click()
        form = screen.dialog("新建团体")
        await form.get_by_label("编号").fill("G-001")
        await form.get_by_label("名称").fill("远航科技")
        await form.get_by_label("等级").select_option("silver")
        await form.get_by_role("button", name="保存").click()
        await screen.button("加入成员").click()
        form = screen.dialog("加入成员")
        await form.get_by_label("会员号").fill(number)
        await form.get_by_label("角色").select_option("owner")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("负责人", "1 / 100")
        await look(screen)
        await shoot(screen, "console-group")

    await phone.go("我的")
    await phone.button("我的等级").click()
    await phone.sees("银卡", "赠予的等级", "生日双倍积分", "获赠银卡", "远航科技")
    other = await register(client)
    group_id = await db.fetchval("SELECT id FROM group_account WHERE number = 'G-001'")
    added = await admin.post(f"/v1/admin/groups/{group_id}/members", {"member_no": other.member["member_no"]})
    assert added.status_code == 201, added.text
    await phone.page.reload()
    await phone.button("设为管理员").click()
    await phone.page.get_by_role("dialog").get_by_role("button", name="确定").click()
    await phone.sees("管理员）")
    await phone.button("邀请成员").click()
    await phone.sees("邀请码")
    await look_at_phone(phone)
    await shoot_phone(phone, "phone-level")
    assert await db.fetchval("SELECT count(*) FROM group_invitation") == 1
