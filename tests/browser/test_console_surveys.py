"""Head office composes a survey, publishes it, enters a paper, and looks at what was answered."""

from __future__ import annotations

import os
from typing import Any

import pytest
from playwright.async_api import Page, expect

from backend.kernel import db
from tests.browser.desk import Clerk, console
from tests.browser.looks import faint_texts, small_targets
from tests.support.members import register
from tests.support.surveys import send

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def add_question(screen: Clerk, title: str, kind: str, options: str = "") -> None:
    """Fill the dialog of a question and take it over."""
    await screen.button("加一题").last.click()
    dialog = screen.dialog("题目")
    await dialog.get_by_role("textbox", name="题目").fill(title)
    await dialog.get_by_role("combobox", name="题型").select_option(label=kind)
    await dialog.get_by_role("textbox", name="选项（每行一个").fill(options)
    await dialog.get_by_role("button", name="题目").click()
    await expect(dialog).to_have_count(0)


async def look(page: Page) -> None:
    small = [text for text in await small_targets(page) if "跳到内容" not in text and text != " 20 × 20"]
    assert [text for text in small if not text.endswith(" × 32")] == []
    assert await faint_texts(page) == []


async def shoot(screen: Clerk, name: str) -> None:
    """A picture for eyes, where somebody asks for it."""
    if folder := os.environ.get("SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def set_prizes(screen: Clerk) -> None:
    """A draw of two prizes: refused until the chances are whole and one never runs out."""
    await screen.button("抽奖奖品").click()
    dialog = screen.dialog("抽奖奖品")
    for place, (title, chance, stock, worth) in enumerate((("大奖", "0.5", "3", "500"), ("谢谢参与", "99", "", "5"))):
        row = dialog.get_by_role("group", name=f"奖品 {place + 1}")
        await row.get_by_label("奖品名称").fill(title)
        await row.get_by_label("概率").fill(chance)
        await row.get_by_label("数量").fill(stock)
        await row.get_by_label("积分数或券").fill(worth)
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog.get_by_text("概率合计要正好是 100%")).to_be_visible()
    await dialog.get_by_role("group", name="奖品 2").get_by_label("概率").fill("99.5")
    await expect(dialog.get_by_text("概率合计 100%", exact=True)).to_be_visible()
    await look(screen.page)
    await shoot(screen, "console-survey-prizes")
    await dialog.get_by_role("button", name="保存").click()
    await screen.sees("大奖 0.5%、谢谢参与 99.5%")


async def set_quota(screen: Clerk) -> None:
    """At most so many who say that it was not good."""
    await screen.button("配额", exact=True).click()
    dialog = screen.dialog("配额")
    await dialog.get_by_role("button", name="加一条配额").click()
    await dialog.get_by_label("哪些答卷").select_option(label="味道如何：不好")
    await dialog.get_by_role("button", name="保存").click()
    await expect(dialog.get_by_text("每条配额都要写最多多少份")).to_be_visible()
    await dialog.get_by_label("最多多少份").fill("500")
    await look(screen.page)
    await shoot(screen, "console-survey-quotas")
    await dialog.get_by_role("button", name="保存").click()
    await screen.sees("味道如何：不好 0 / 500")


async def test_a_survey_is_composed_published_answered_and_looked_at(chromium, server, chain, client):
    async with console(chromium, server, "#/surveys") as screen:
        page = screen.page
        await screen.log_in("admin")
        await screen.sees("还没有问卷")
        await screen.button("新建问卷").click()
        await screen.field("标题").fill("到店体验")
        await screen.field("项目名称").fill("服务质量")
        await screen.dialog("新建问卷").get_by_role("button", name="保存").click()

        await screen.sees("还没有题目")
        await screen.button("修改设置").click()  # before there is a question
        await screen.dialog("设置").get_by_label("最多多少份").fill("900")
        await screen.dialog("设置").get_by_role("button", name="保存").click()
        await screen.sees("900")
        await add_question(screen, "味道如何", "单选", "好\n不好\n其他 +")
        await add_question(screen, "您愿意推荐我们吗", "推荐度（0–10）")
        await screen.button("加一页").click()
        await add_question(screen, "还想说什么", "文本")
        await screen.button("跳题 味道如何").click()
        jumps = screen.dialog("跳题")
        await jumps.get_by_role("combobox", name="当答案").select_option(label="选了“不好”")
        await jumps.get_by_role("combobox", name="跳到").select_option(label="还想说什么")
        await jumps.get_by_role("button", name="加一条跳题").click()
        await screen.sees("选了“不好” → 还想说什么")
        await look(page)
        await shoot(screen, "console-survey-edit")
        await screen.button("保存草稿").click()
        await screen.sees("草稿已保存")
        await set_prizes(screen)
        await set_quota(screen)
        await screen.button("修改 还想说什么").click()
        await screen.dialog("题目").get_by_role("textbox", name="题目").fill("还想对我们说什么")
        await screen.dialog("题目").get_by_role("button", name="题目").click()
        await screen.button("发布", exact=True).click()  # what is on the screen, saved or not
        await screen.dialog("发布“到店体验”？").get_by_role("button", name="发布").click()
        await screen.sees("收集中")

        await expect(screen.button("抽奖奖品")).to_have_count(0)  # what was promised stays
        row = await db.fetchrow("SELECT id, version FROM survey")
        assert row is not None
        answers: list[Any] = [
            {"question": "q1", "choices": ["o1"]},
            {"question": "q2", "number": 10},
            {"question": "q3", "text": "好"},
        ]
        sent = await send(await register(client), dict(row), answers)
        assert sent.status_code == 201, sent.text
        await page.get_by_role("link", name="录入答卷").click()
        await page.get_by_role("combobox", name="味道如何").select_option(label="不好")
        await page.get_by_role("textbox", name="还想对我们说什么").fill("太甜")
        await screen.button("录入答卷").click()
        await screen.sees("已录入")

        await page.get_by_role("link", name="结果").click()
        await screen.sees("味道如何", "净推荐值")
        await expect(page.get_by_role("img", name="味道如何").first).to_contain_text("1（50.0%）")
        await page.get_by_role("combobox", name="分组看：您愿意推荐我们吗").select_option(label="× 味道如何")
        await expect(page.get_by_role("img", name="您愿意推荐我们吗").first).to_contain_text("×")
        await shoot(screen, "console-survey-results")
        await page.get_by_role("link", name="编辑").click()
        await screen.sees("味道如何：不好 1 / 500", "大奖 0.5%、谢谢参与 99.5%")
        await page.get_by_role("link", name="答卷明细").click()
        await screen.button("查看答卷").first.click()
        await screen.sees("太甜", "未作答")
        await page.keyboard.press("Escape")
        await look(page)
        await screen.button("结束", exact=True).click()
        await screen.dialog("结束“到店体验”？").get_by_role("button", name="结束").click()
        await screen.sees("已结束")
