"""Head office sees two members side by side, asks for a merge, and another person approves it."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from backend.kernel import outbox
from backend.merging.commands import candidates
from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.support.members import register
from tests.support.merging import another, approve_waiting
from tests.support.value import findings, give

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def shoot(page, name):
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_a_pair_is_found_looked_at_and_merged(chromium, server, chain, admin, client, settings):
    one, other = await register(client, name="欧阳小明"), await register(client, name="欧阳晓明")
    for member in (one, other):
        await member.call("POST", "/v1/member/profile", {"birthday": "1990-05-01"})
    await give(one.member_id, principal=5_000, bonus=700, points=300)
    await candidates.search()
    second = await another(client, chain, admin)
    source, target = one.member["member_no"], other.member["member_no"]

    async with console(chromium, server, "#/merges") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.sees("姓名相近、同生日")
        await shoot(page, "console-merges")
        await page.get_by_role("button", name=f"比对 {source} → {target}").click()
        await screen.sees("合并后不能撤销", "¥50.00", "逐项合并", "姓名不同")
        await shoot(page, "console-merge-preview")
        await page.get_by_role("button", name="申请合并").click()
        await screen.field("原因").fill("同一人，两次入会")
        await screen.button("保存").click()
        await screen.sees("已提交，等待另一人审批")
        await approve_waiting(second)
        await outbox.drain()
        await page.reload()
        await expect(page.get_by_text(f"{source} → {target}")).to_be_visible()
        await shoot(page, "console-merges-done")
        assert await faint_texts(page) == []
        assert [text for text in await small_targets(page) if "跳到内容" not in text] == []

    assert (await other.wallet())["stored"]["total_fen"] == 5_700
    assert await findings(settings) == []
