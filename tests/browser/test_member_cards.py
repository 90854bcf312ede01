"""Head office prints and allots cards, a counter gives one to who stands there, its member reports it lost."""

from __future__ import annotations

import pytest

from backend.kernel import db
from tests.browser.actors import Member
from tests.browser.desk import console
from tests.browser.shop import ask
from tests.browser.test_console_notices import look, shoot
from tests.browser.test_phone_notices import look as look_at_phone
from tests.browser.test_phone_notices import shoot as shoot_phone
from tests.support.members import make_code, unix_now

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_card_from_the_printer_to_the_member_and_a_pin_that_is_ended(chromium, server, admin, phone: Member):
    member_id = (await ask(phone, "GET", "/v1/member/profile"))["id"]

    async with console(chromium, server, "#/card-stock") as screen:
        await screen.log_in("admin")
        await screen.button("新增卡种").click()
        form = screen.dialog("新增卡种")
        for label, text in (("名称", "银杏卡"), ("代码", "ginkgo"), ("号码开头", "9001"), ("有效月数", "24")):
            await form.get_by_label(label).fill(text)
        await form.get_by_role("button", name="保存").click()
        await screen.sees("银杏卡", "9001…，16 位，含校验位")
        await screen.button("制卡", exact=True).click()
        form = screen.dialog("制卡")
        await form.get_by_label("张数").fill("20")
        await form.get_by_role("button", name="制卡").click()
        await screen.sees("20 / 20", "待导出")
        await screen.button("新增代理商").click()
        form = screen.dialog("新增代理商")
        for label, text in (("名称", "城东代理"), ("联系方式", "张经理"), ("配额", "10")):
            await form.get_by_label(label).fill(text)
        await form.get_by_role("button", name="保存").click()
        await screen.sees("城东代理", "0 / 10")
        await screen.button("配卡", exact=True).click()
        form = screen.dialog("配卡、退卡、作废")
        await form.get_by_label("发卡方").select_option(label="城东代理")
        for label, text in (("从第几张", "1"), ("到第几张", "11"), ("原因", "开业")):
            await form.get_by_label(label).fill(text)
        await form.get_by_role("button", name="保存").click()
        await screen.sees("超出配额")
        await form.get_by_label("到第几张").fill("10")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("10 / 10", "完成")
        await look(screen)
        await shoot(screen, "console-card-stock")

        number = await db.fetchval("SELECT number FROM membercard WHERE type_code = 'ginkgo' AND serial = 1")
        await screen.page.goto(f"{server.base_url}/admin#/member-cards")
        await screen.button("发卡", exact=True).click()
        form = screen.dialog("发卡")
        await form.get_by_label("卡号").fill(number)
        await form.get_by_label("会员动态码").fill((await ask(phone, "GET", "/v1/member/code"))["code"])
        await form.get_by_role("button", name="发卡").click()
        await screen.sees(number, "使用中", "银杏卡", "历史")
        await look(screen)
        await shoot(screen, "console-member-card")

        await phone.go("我的")
        await phone.button("会员卡").click()
        await phone.sees("银杏卡", "实体卡")
        await look_at_phone(phone)
        await shoot_phone(phone, "phone-member-card")
        await phone.button("挂失").click()
        await phone.page.get_by_role("dialog").get_by_role("button", name="挂失").click()
        await phone.sees("这张卡在所有门店都不能再使用", "找到了，解除挂失")
        await shoot_phone(phone, "phone-member-card-lost")

        await screen.page.goto(f"{server.base_url}/admin#/member-cards?id={member_id}")
        await screen.sees("已挂失", "支付密码", "未设置")
        await screen.button("初始化").click()
        form = screen.dialog("初始化")
        code = await later_code(phone)
        await form.get_by_label("会员动态码").fill(code)
        await form.get_by_label("原因").fill("忘记密码")
        await form.get_by_role("button", name="初始化").click()
        await screen.sees("待会员重新设置", "忘记密码")
        await look(screen)
        await shoot(screen, "console-member-pin")

    states = await db.fetch("SELECT state FROM membercard WHERE member_id = $1", int(member_id))
    assert [row["state"] for row in states] == ["lost"]
    assert await db.fetchval("SELECT initialised_at IS NOT NULL FROM member_pin WHERE member_id = $1", int(member_id))


async def later_code(phone: Member) -> str:
    """A code of another device of theirs: that of the page was spent for the card."""
    device = await ask(phone, "POST", "/v1/member/devices", {"name": "second"})
    return make_code(device["handle"], device["secret"], unix_now() // 15)
