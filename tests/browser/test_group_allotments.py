"""Head office allots out of what a group's owner has, one by one and by a table, and takes it back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from backend.groups.commands import batches
from backend.kernel import db
from tests.browser.desk import console
from tests.browser.test_points import look, shoot
from tests.support.members import register
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
