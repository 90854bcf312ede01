"""The member's voice on the phone page: a box with a name and without one, and feedback from complaint to stars."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, expect

from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import ask, there
from tests.support.cases import DESK, do
from tests.support.pictures import picture
from tests.support.staff import StaffSession
from tests.support.suggestions import INBOX, make_box, own_id

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def box(admin: StaffSession):
    return await make_box(admin, await own_id(admin), title="门店环境", topic="灯光、卫生、排队")


async def look(phone: Member, faults: list[str]) -> None:
    await phone.quiet()
    faults.extend([*await small_targets(phone.page), *await faint_texts(phone.page)])


async def choose(phone: Member, name: str) -> None:
    await phone.page.get_by_role("radio", name=name, exact=True).check(force=True)


async def add_picture(phone: Member, color: str) -> None:
    async with phone.page.expect_file_chooser() as chooser:
        await phone.button("添加图片").click()
    data: FilePayload = {"name": "x.png", "mimeType": "image/png", "buffer": picture(size=(900, 600), color=color)}
    await (await chooser.value).set_files([data])
    await expect(phone.page.locator(".shot img")).to_have_count(1)
    await expect(phone.page.locator(".shot.sending")).to_have_count(0)


async def test_a_suggestion_without_a_name_is_followed_by_its_receipt(phone, admin, box):
    faults: list[str] = []
    sent: list[tuple[str, str]] = []
    phone.page.on(
        "request",
        lambda one: sent.append((one.url, one.headers.get("authorization", ""))) if "/v1/" in one.url else None,
    )
    await phone.go("我的")
    await phone.button("意见箱").click()
    await phone.sees("门店环境", "可匿名")
    await look(phone, faults)
    await phone.page.get_by_role("link", name="门店环境").click()
    await choose(phone, "匿名")
    await phone.sees("不保存你的会员号")
    await phone.page.get_by_label("想说什么").fill("收银台太少")
    await add_picture(phone, "#803020")
    await look(phone, faults)
    await phone.button("匿名提交").click()
    await phone.sees("意见已匿名提交")
    receipt = await phone.page.locator(".receipt-code").inner_text()
    await look(phone, faults)
    (inbox,) = [item for item in (await admin.get(INBOX)).json()["items"] if item["excerpt"] == "收银台太少"]
    answer = {"text": "下周加一台", "version": 1}
    assert (await admin.post(f"{INBOX}/{inbox['id']}/answers", answer)).status_code == 201

    await there(phone, "suggestion-boxes")
    await phone.button("凭回执码查看").click()
    await phone.field("输入回执码").fill("AAAA-AAAA-AAAA-AAAA-AAAA")
    await phone.button("查看", exact=True).click()
    await phone.sees("回执码不对")
    await phone.field("输入回执码").fill(receipt.lower())
    await phone.button("查看", exact=True).click()
    await phone.sees("收银台太少", "下周加一台", "已答复")
    await expect(phone.page.locator(".said.own img")).to_have_count(1)
    await look(phone, faults)
    await phone.button("评价答复").click()
    await phone.page.get_by_role("radio", name="4 星").press("Space")
    await phone.button("提交评价").click()
    await phone.sees("修改评价")
    await phone.button("补充", exact=True).click()
    await phone.field("补充意见").fill("谢谢")
    await phone.dialog("补充意见").get_by_role("button", name="补充", exact=True).click()
    await phone.sees("谢谢", "等待答复")

    seen = (await admin.get(f"{INBOX}/{inbox['id']}")).json()
    assert (seen["anonymous"], seen["rating"], len(seen["messages"])) == (True, 4, 3)
    assert re.fullmatch(r"([0-9A-Z]{4}-){4}[0-9A-Z]{4}", receipt)
    session = {value for url, value in sent if "/v1/member/" in url}
    unnamed = {value for url, value in sent if "/v1/anonymous/" in url}
    assert len(unnamed) >= 3
    assert session & unnamed == set()
    assert (await ask(phone, "GET", "/v1/member/suggestions"))["items"] == []
    assert faults == []


async def test_a_signed_suggestion_stands_in_one_s_list(phone, admin, box):
    await there(phone, f"suggest?{box['id']}")
    await phone.page.get_by_label("想说什么").fill("灯太暗")
    await phone.button("提交", exact=True).click()
    await phone.sees("等待答复", "灯太暗")
    await there(phone, "own-suggestions")
    await phone.page.get_by_role("link", name="灯太暗").click()
    await phone.sees("门店环境")

    (mine,) = (await ask(phone, "GET", "/v1/member/suggestions"))["items"]
    assert (await admin.get(f"{INBOX}/{mine['id']}")).json()["writer"]["name_masked"] == "王**"


async def test_a_complaint_is_answered_reopened_confirmed_and_rated(phone, admin):
    faults: list[str] = []
    await phone.button("我的反馈").click()
    await phone.sees("还没有反馈")
    await look(phone, faults)
    await phone.page.get_by_role("contentinfo").get_by_role("button", name="提交反馈").click()
    await phone.button("提交反馈").click()
    await phone.sees("请选择类别")
    await choose(phone, "投诉")
    await phone.page.get_by_label("发生了什么").fill("牛奶过期了")
    await expect(phone.page.get_by_label("哪家门店").locator("option")).to_have_count(3)
    await phone.page.get_by_label("哪家门店").select_option("S1")
    await add_picture(phone, "#3050a0")
    await look(phone, faults)
    await phone.button("提交反馈").click()
    await phone.sees("已收到", "牛奶过期了", "南京路店")
    await look(phone, faults)
    (case,) = (await ask(phone, "GET", "/v1/member/cases"))["items"]
    await do(admin, case["id"], "give", points=200, reason="给您添麻烦了")
    await do(admin, case["id"], "answer", text="请来店退款")

    await phone.page.reload()
    await phone.sees("已答复，等你确认", "请来店退款", "已补偿", "补偿 200 积分：给您添麻烦了")
    await phone.button("还没解决").click()
    await phone.field("哪里还没解决").fill("店里说不知道")
    await phone.button("重新打开").click()
    await phone.sees("重新处理中", "店里说不知道")
    await do(admin, case["id"], "answer", text="已通知门店")
    await phone.page.reload()
    await phone.button("已解决", exact=True).click()
    await phone.sees("已确认解决")
    await look(phone, faults)
    await phone.button("评价答复").click()
    await phone.page.get_by_role("radio", name="3 星").press("Space")
    await phone.button("提交评价").click()
    await phone.sees("修改评价")

    shown = (await admin.get(f"{DESK}/{case['id']}")).json()
    assert [step["action"] for step in shown["steps"]] == [
        "open",
        "give",
        "answer",
        "reopen",
        "answer",
        "confirm",
        "rate",
    ]
    assert len(shown["steps"][0]["pictures"]) == 1
    assert faults == []
