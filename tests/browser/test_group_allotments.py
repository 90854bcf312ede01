"""A group's owner gives its people of their own on the phone and takes it back; head office does it by a table."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from backend.groups.commands import batches
from backend.kernel import db
from tests.browser.desk import console
from tests.browser.shop import ask, known_member, there
from tests.browser.test_points import look, shoot
from tests.support.members import register
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_the_owner_allots_with_the_pin_and_takes_back_what_is_not_used(chromium, server, chain, admin, client):
    friend = await register(client, name="李小红")
    async with known_member(chromium, server, fen=50_000) as phone:
        profile = await ask(phone, "GET", "/v1/member/profile")
        group = (await admin.post("/v1/admin/groups", {"number": "A-1", "name": "远航科技"})).json()
        for number, role in ((profile["member_no"], "owner"), (friend.member["member_no"], "member")):
            body = {"member_no": number, "role": role}
            assert (await admin.post(f"/v1/admin/groups/{group['id']}/members", body)).status_code == 201
        await there(phone, "group-allot")
        await phone.sees("分配前请先设置支付密码")
        await ask(phone, "PUT", "/v1/member/pin", {"pin": "135790"})
        await there(phone, "level")
        await phone.button("分配储值、积分").click()
        await phone.sees("我可以分配的", "¥500.00", "李**", "还没有分配过")
        await shoot(phone.page, "phone-group-allot")
        await phone.button("分配给李**").click()
        await phone.field("金额（元）").fill("500.01")
        await phone.button("确认分配").click()
        await phone.sees("请输入 0.01 到 500.00 之间的金额")
        await phone.field("金额（元）").fill("120.50")
        await phone.field("备注（可不填）").fill("差旅")
        await shoot(phone.page, "phone-group-allot-form")
        await look(phone.page)
        await phone.button("确认分配").click()
        await phone.page.keyboard.type("000000")
        await phone.sees("支付密码不正确")
        await phone.page.keyboard.type("135790")
        await phone.sees("¥379.50", "¥120.50", "差旅", "未用 ¥120.50")
        assert (await friend.wallet())["stored"]["total_fen"] == 12_050
        await shoot(phone.page, "phone-group-allotted")
        await look(phone.page)
        await phone.button("收回李**的 ¥120.50").click()
        await phone.page.get_by_role("dialog").get_by_role("button", name="收回").click()
        await phone.sees("¥500.00", "已收回 ¥120.50")
    assert (await friend.wallet())["stored"]["total_fen"] == 0
    assert await findings(server.settings) == []


async def test_head_office_allots_by_a_table(chromium, server, chain, admin, client, tmp_path):
    people = [await register(client, name=name) for name in ("王大力", "李小红", "赵云")]
    group_id = (await admin.post("/v1/admin/groups", {"number": "A-2", "name": "明远集团"})).json()["id"]
    for person, role in zip(people, ("owner", "member", "member"), strict=True):
        await admin.post(
            f"/v1/admin/groups/{group_id}/members", {"member_no": person.member["member_no"], "role": role}
        )
    await give(people[0].member_id, principal=100_000, points=900)
    rows = [f"{one.member['member_no']},储值,20.00,九月" for one in people[1:]]
    file = tmp_path / "allot.csv"
    file.write_text(
        "\n".join(["会员号,种类,数量,备注", *rows, f"{people[0].member['member_no']},积分,5,"]), encoding="utf-8"
    )

    async with console(chromium, server, f"#/group?id={group_id}") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.sees("负责人的分配", "还没有分配过")
        await screen.button("分配", exact=True).click()
        form = screen.dialog("分配")
        await form.get_by_label("分配给").select_option(label=f"李** {people[1].member['member_no']}")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("储值、积分填一样")
        await form.get_by_label("积分", exact=True).fill("300")
        await form.get_by_role("button", name="保存").click()
        await screen.sees("已分配", "300 积分")
        await screen.button("按表格分配").click()
        await screen.field("名称").fill("九月差旅")
        await page.locator("input[type=file]").set_input_files(file)
        await shoot(page, "console-group-table")
        await page.get_by_role("dialog").get_by_role("button", name="试算").click()
        await screen.sees("¥40.00 / ¥1,000.00", "第 4 行 会员号")
        await shoot(page, "console-group-dry-run")
        await screen.button("跳过有误的行，分配其余").click()
        await expect(page.get_by_role("cell", name="九月差旅", exact=True)).to_be_visible()
        await batches.run(await db.fetchval("SELECT id FROM group_allot_batch WHERE group_id = $1", group_id))
        await page.reload()
        await expect(page.get_by_role("cell", name="已完成")).to_be_visible()
        await screen.sees("2 / 2")
        await shoot(page, "console-group-allotments")
        await look(page)
        await screen.button("收回李**的 300 积分").click()
        await page.get_by_role("dialog").get_by_role("button", name="收回").click()
        await screen.sees("已办理")
    held = [(await one.wallet())["stored"]["total_fen"] for one in people]
    assert held == [96_000, 2_000, 2_000]
    assert (await people[1].wallet())["points"]["available"] == 0
    assert await findings(server.settings) == []
