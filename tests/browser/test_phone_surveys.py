"""Surveys on the phone page: answered page by page, kept on the way, sent once however bad the network is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.kernel import db
from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import known_member
from tests.support.seed import Chain, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.surveys import NPS, Question, count, make_survey
from tests.support.value import findings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

STARS: Question = {
    "id": "stars",
    "kind": "rating",
    "title": "这次购物您满意吗",
    "jumps": [{"to": "buy", "at_least": 4}],
}
WHY: Question = {"id": "why", "kind": "text", "title": "哪里让您不满意", "at_least": 2}
BUY: Question = {
    "id": "buy",
    "kind": "multiple",
    "title": "您常买什么",
    "options": [
        {"id": "tea", "text": "茶饮"},
        {"id": "fruit", "text": "水果"},
        {"id": "none", "text": "以上都没有", "exclusive": True},
    ],
}
PARTS: Question = {
    "id": "parts",
    "kind": "matrix",
    "title": "请评价",
    "rows": [{"id": "staff", "text": "店员"}, {"id": "place", "text": "环境"}],
    "options": [{"id": "good", "text": "好"}, {"id": "bad", "text": "差"}],
}
CONTENT = {
    "intro": "只要一分钟",
    "thanks": "期待再次光临",
    "pages": [{"title": "总体", "questions": [STARS, WHY]}, {"questions": [BUY, PARTS]}, {"questions": [NPS]}],
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    return await seed_chain(server.base_url)


@pytest_asyncio.fixture(loop_scope="session")
async def admin(client, chain) -> StaffSession:
    return await log_in(client, chain, "admin")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium, server, chain) -> AsyncIterator[Member]:
    """Somebody who has just joined."""
    async with known_member(chromium, server) as screen:
        yield screen


@pytest.mark.usefixtures("kept_page")
async def test_a_survey_is_answered_page_by_page_and_sent_when_the_network_is_back(phone, admin, settings):
    survey = await make_survey(admin, content=CONTENT, anonymous=True, title="到店体验", reward={"points": 20})
    page = phone.page
    await phone.go("我的")
    await phone.button("我的问卷").click()
    await phone.sees("答完得 20 积分", "共 3 页", "匿名")
    await page.get_by_role("link", name="到店体验").click()
    await phone.sees("只要一分钟", "第 1 页，共 3 页", "答卷里没有你的姓名")

    await phone.button("下一页").click()
    await phone.sees("请回答这道题")
    await page.get_by_role("radio", name="2 分 不满意").check()
    await phone.field("哪里让您不满意").fill("太")
    await phone.button("下一页").click()
    await phone.sees("请至少写 2 个字")
    await page.get_by_role("radio", name="5 分 非常满意").check()
    await expect(phone.field("哪里让您不满意")).to_have_count(0)
    assert await small_targets(page) == []
    assert await faint_texts(page) == []
    await phone.button("下一页").click()
    await phone.sees("第 2 页，共 3 页")

    await page.get_by_role("checkbox", name="茶饮").check()
    await page.get_by_role("checkbox", name="以上都没有").check()
    await expect(page.get_by_role("checkbox", name="茶饮")).not_to_be_checked()
    await page.get_by_role("checkbox", name="水果").check()
    await page.get_by_role("group", name="店员").get_by_role("radio", name="好").check()
    await page.get_by_role("group", name="环境").get_by_role("radio", name="差").check()
    await phone.sees("已自动保存")
    await page.reload()
    await phone.sees("第 2 页，共 3 页")
    await expect(page.get_by_role("checkbox", name="水果")).to_be_checked()
    await phone.button("下一页").click()
    await page.get_by_role("radio", name="9 分").check()
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.context.set_offline(True)
    await phone.button("提交").click()
    await phone.sees("没有网络，答卷已保存在这部手机上")
    await page.reload()
    await phone.sees("没有网络，答卷已保存在这部手机上")
    assert await count(survey) == 0
    await page.context.set_offline(False)

    await phone.sees("已提交，谢谢你", "期待再次光临", "已送你 20 积分")
    await phone.button("返回问卷列表").click()
    await phone.sees("已填写", "20 积分")
    assert await count(survey) == 1
    given = await db.fetchval("SELECT given FROM survey_answer WHERE survey_id = $1", survey["id"])
    assert "太" not in given
    assert await findings(settings) == []
