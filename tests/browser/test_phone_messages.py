"""A member finds what the chain wrote, reads it, and says which letters are wanted."""

from __future__ import annotations

import os

import pytest
from playwright.async_api import expect

from backend.auth.queries import find_openid
from backend.messages import channels
from backend.messages.commands import deliver
from backend.messages.types import Channel, Letter
from backend.worker import load
from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import ask, there
from tests.support.messages import Noting, agreed, own_template, write
from tests.support.staff import StaffSession

pytestmark = [pytest.mark.browser, pytest.mark.slow]


async def test_a_member_reads_letters_and_says_which_are_wanted(phone: Member, admin: StaffSession, server):
    page, faults = phone.page, []
    member_id = int((await ask(phone, "GET", "/v1/member/profile"))["id"])
    texts = {"wechat": {"template_id": "TPL-shop", "fields": {"thing1": "{what}"}}}
    await own_template(admin, "own.phone", purpose="service", channels=["inbox", "wechat"], texts=texts)
    long = "您反馈的“收银台太慢”已有答复：我们在晚高峰加开了一台收银机，欢迎再来看看。"
    await phone.sees("王小明")
    await expect(phone.button("消息", exact=True)).to_be_visible()
    await write(
        Letter(member_id, "test.note", {"what": long}, "a"),
        Letter(member_id, "own.phone", {"what": "荔枝"}, "b", link="#/coupons"),
    )
    load()  # the drivers of channels
    await deliver.deliver_due()
    await page.reload()
    await phone.button("消息，2 条未读").click()
    await phone.sees("上新", "王小明，荔枝上新了。", long)
    await expect(page.get_by_role("img", name="未读")).to_have_count(2)
    await look(phone, faults)
    await shoot(phone, "inbox")

    await page.get_by_role("button", name="提醒").click()
    await expect(page.get_by_role("img", name="未读")).to_have_count(1)
    await phone.button("回复 提醒").click()
    await phone.field("想说的话").fill("谢谢，好多了")
    await look(phone, faults)
    await shoot(phone, "reply")
    await phone.button("发送", exact=True).click()
    await phone.sees("已发送给商家")
    (answer,) = (await admin.get("/v1/admin/messages/replies")).json()["items"]
    assert answer["text"] == "谢谢，好多了"
    await phone.button("查看详情").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("卡券")
    await there(phone, "inbox")
    await expect(page.get_by_role("img", name="未读")).to_have_count(0)

    await phone.button("消息设置").click()
    await phone.sees("服务通知", "优惠活动", "可收 0 条")
    await look(phone, faults)
    await shoot(phone, "letters")
    wanted = page.get_by_role("switch", name="优惠活动 短信")
    await wanted.check()
    await expect(wanted).to_be_enabled()
    assert await agreed(member_id) == {("sms", "marketing")}
    await wanted.uncheck()
    await expect(wanted).to_be_enabled()
    assert await agreed(member_id) == set()

    await phone.button("订阅一次").click()
    await look(phone, faults)
    await shoot(phone, "subscribe")
    await phone.dialog("订阅消息").get_by_role("button", name="允许").click()
    await phone.sees("可收 1 条")
    await write(Letter(member_id, "own.phone", {"what": "桃子"}, "c"))
    await deliver.deliver_due()
    await phone.button("返回").click()
    await phone.sees("王小明，桃子上新了。")
    await phone.button("消息设置").click()
    await phone.sees("可收 0 条")
    openid = await ask_openid(member_id)
    sent = (await admin.client.get("/mock/wechat/sent", params={"openid": openid})).json()["items"]
    assert [item["message"]["data"] for item in sent if item["kind"] == "subscribe"] == [{"thing1": {"value": "桃子"}}]

    assert faults == []


async def test_a_member_gives_an_e_mail_address_which_counts_when_its_code_came_back(
    phone: Member, server, monkeypatch
):
    driver, faults = Noting(Channel.EMAIL), []
    monkeypatch.setattr(channels, "find", lambda channel: driver if channel is Channel.EMAIL else None)
    await phone.sees("王小明")
    await there(phone, "letters")
    await phone.sees("未设置")
    await phone.button("邮箱 未设置").click()
    address = phone.page.get_by_label("邮箱地址")
    await address.fill("wang@nowhere")
    await phone.button("发送验证码").click()
    await phone.sees("请填写完整的邮箱地址")
    await look(phone, faults)
    await address.fill("wang@mail.example")
    await phone.button("发送验证码").click()
    await phone.sees("已发送到 w***@mail.example，15 分钟内有效")
    await shoot(phone, "email-code")

    code = driver.given[-1].body.partition("验证码是 ")[2][:6]
    await phone.page.get_by_label("验证码").fill(("1" if code[0] != "1" else "2") + code[1:])
    await phone.button("确认", exact=True).click()
    await phone.sees("验证码不对或已过期，请重新发送")
    await phone.page.get_by_label("验证码").fill(code)
    await phone.button("确认", exact=True).click()
    await phone.sees("w***@mail.example", "选择“邮件”的消息会发到这里")
    await look(phone, faults)
    await shoot(phone, "email")

    await phone.button("删除邮箱").click()
    await phone.sees("邮箱地址")
    assert faults == []


async def ask_openid(member_id: int) -> str:
    openid = await find_openid(member_id)
    assert openid is not None
    return openid


async def look(phone: Member, faults: list[str]) -> None:
    await phone.quiet()
    faults.extend([*await small_targets(phone.page), *await faint_texts(phone.page)])


async def shoot(phone: Member, name: str) -> None:
    """A picture for whoever asks for them."""
    if folder := os.environ.get("HUIYUAN_SHOTS"):
        await phone.page.screenshot(path=f"{folder}/{name}.png")
