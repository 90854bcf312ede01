"""Privacy on both pages: a member says what may be done, takes their data and leaves; staff see it, publish texts."""

from __future__ import annotations

import os
import zipfile

import pytest
import pytest_asyncio
from playwright.async_api import expect

from backend.kernel import db
from backend.privacy.commands import exports
from backend.worker import load
from tests.browser.actors import Screen
from tests.browser.desk import console
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import ask, known_member, tab_to, there
from tests.support import value
from tests.support.members import register
from tests.support.merging import another, approve_waiting
from tests.support.seed import Chain, seed_chain

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OWN = "/v1/member/privacy"
DESK = "/v1/admin/privacy"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    load()
    return await seed_chain(server.base_url)


async def shoot(screen: Screen, name: str) -> None:
    """A picture for whoever wants to look, where ``SHOTS`` names a folder."""
    if folder := os.environ.get("SHOTS"):
        await screen.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def look(screen: Screen) -> None:
    """Nothing is too small to touch, too faint to read or beyond the edge; the skip link is out of sight."""
    small = [text for text in await small_targets(screen.page) if "跳到内容" not in text]
    assert [text for text in small if not text.endswith(" × 32")] == []
    assert await faint_texts(screen.page) == []
    root = screen.page.locator("html")
    assert await root.evaluate("page => page.scrollWidth - page.clientWidth") == 0


async def test_a_member_takes_their_data_and_leaves_and_head_office_sees_it(chromium, server, chain, tmp_path):
    async with known_member(chromium, server) as phone, console(chromium, server, "#/privacy") as office:
        member = await ask(phone, "GET", "/v1/member/profile")
        await value.give(int(member["id"]), principal=1_200, points=30)
        await there(phone, "privacy")
        await phone.sees("会员服务协议", "会员服务必需", "个性化推荐", "短信营销消息")
        await phone.page.get_by_label("个性化推荐").uncheck()
        await expect(phone.page.get_by_label("个性化推荐")).to_be_enabled()
        said = {item["purpose"]: item["granted"] for item in (await ask(phone, "GET", f"{OWN}/consents"))["items"]}
        assert (said["profiling"], said["third_party"]) == (False, False)
        await look(phone)
        await shoot(phone, "phone-privacy")

        await phone.button("申请下载").click()
        await phone.sees("正在准备")
        (asked,) = (await ask(phone, "GET", f"{OWN}/exports"))["items"]
        await exports.make(asked["id"])
        await phone.sees("前可下载")
        async with phone.page.expect_download() as download:
            await phone.page.get_by_role("button", name="下载", exact=True).click()
        path = tmp_path / "data.zip"
        await (await download.value).save_as(path)
        assert "概览.html" in zipfile.ZipFile(path).namelist()

        await phone.page.get_by_role("button", name="注销账号").click()
        await phone.sees("注销后以下权益作废", "储值余额", "¥12.00", "30 分")
        await expect(phone.button("验证手机号提交")).to_be_disabled()
        await phone.page.get_by_label("我已了解，并放弃以上权益").check()
        await look(phone)
        await shoot(phone, "phone-leave")
        await ask(phone, "PUT", "/v1/member/pin", {"pin": "271828"})
        await ask(phone, "POST", f"{OWN}/erasure", {"pin": "271828", "give_up": True})
        await there(phone, "privacy")
        await phone.sees("注销")
        await there(phone, "leave")
        await phone.sees("账号将于", "撤回注销")
        await look(phone)
        await shoot(phone, "phone-leaving")

        await office.log_in("admin")
        await office.sees("冷静期", member["member_no"], "储值余额 ¥12.00")
        await look(office)
        await shoot(office, "console-privacy")

        await phone.page.reload()
        await phone.button("查看或撤回").click()
        await phone.button("撤回注销").click()
        await phone.sees("提交后有 7 天冷静期")
        await office.page.get_by_role("link", name="个人数据").click()
        await office.sees("可下载", member["member_no"])
        await office.page.get_by_role("link", name="授权文本").click()
        await office.page.get_by_role("button", name="发布新版本 会员服务协议").click()
        await office.page.get_by_label("内容").fill("第二版服务协议")
        await office.page.get_by_role("button", name="保存").click()
        await office.sees("第二版服务协议")
        await shoot(office, "console-privacy-texts")

        await phone.page.reload()
        await phone.sees("条款已更新", "第二版服务协议")
        await shoot(phone, "phone-asked")
        await phone.button("同意并继续").click()
        await expect(phone.page.get_by_text("条款已更新")).to_be_hidden()
        said = {
            item["purpose"]: item["agreed_version"] for item in (await ask(phone, "GET", f"{OWN}/consents"))["items"]
        }
        assert said["terms"] == 2


async def test_an_archive_is_handed_out_at_the_counter_with_a_second_person(chromium, server, chain, admin, client):
    member, other = await register(client, name="林海"), await register(client, name="林川")
    second = await another(client, chain, admin)
    async with console(chromium, server, f"#/member?id={member.member_id}") as desk:
        await desk.log_in("admin")
        await desk.page.get_by_role("link", name="个人数据", exact=True).click()
        await desk.sees("没有可交付的个人数据", "还没有交付过")
        await tab_to(desk.page, "申请个人数据")
        await desk.page.keyboard.press("Enter")
        await desk.page.keyboard.type("会员到店索取，没有手机")
        await desk.page.keyboard.press("Tab")
        await tab_to(desk.page, "申请个人数据")
        await desk.page.keyboard.press("Enter")
        await desk.sees("正在整理")
        (asked,) = (await admin.get(f"{DESK}/exports?limit=1")).json()["items"]
        await exports.make(asked["id"])
        await desk.sees("已整理好")

        await desk.button("当面交付").click()
        dialog = desk.dialog("当面交付")
        await dialog.get_by_label("会员动态码").fill("0" * 20)
        await dialog.get_by_label("说明").fill("核对身份证，申请书在 3 号夹")
        await dialog.get_by_role("button", name="当面交付").click()
        await expect(dialog.get_by_role("alert")).to_have_text("会员码无效，请让会员刷新后再扫")
        assert (await admin.get(f"/v1/admin/members/{member.member_id}/archives")).json()["hand_outs"] == []
        await dialog.get_by_label("会员动态码").fill("")
        await dialog.get_by_role("button", name="当面交付").click()
        await desk.sees("等待第二人在“审批”里同意", "待第二人审批", "核对身份证，申请书在 3 号夹")
        await expect(desk.button("下载")).to_have_count(0)
        await shoot(desk, "console-archive-waiting")

        await approve_waiting(second)
        await expect(desk.button("下载")).to_be_focused()
        async with desk.page.expect_download() as download:
            await desk.page.keyboard.press("Enter")
        await desk.sees("已下载，请当面交给会员", "已交付")
        assert "概览.html" in zipfile.ZipFile(await (await download.value).path()).namelist()
        await expect(desk.button("下载", exact=True)).to_have_count(0)
        await expect(desk.button("重新下载")).to_be_visible()
        await look(desk)
        await shoot(desk, "console-archive")

        await time_is_over(member.member_id)
        await desk.button("重新下载").click()
        await desk.dialog("重新下载？").get_by_role("button", name="重新下载").click()
        await desk.sees("现在不能下载")
        await expect(desk.button("当面交付")).to_be_visible()
        await desk.page.get_by_role("link", name="全部记录").click()
        await desk.sees(member.member["member_no"], "证件", "已交付")

        await desk.page.get_by_role("navigation", name="隐私").get_by_role("link", name="个人数据").click()
        await desk.button("代会员申请个人数据").click()
        form = desk.dialog("代会员申请个人数据")
        await form.get_by_label("原因").fill("会员到店索取")
        await form.get_by_label("会员号").fill(member.member["member_no"])
        await form.get_by_role("button", name="代会员申请个人数据").click()
        await expect(form.get_by_role("alert")).to_contain_text("今天已申请过")
        await form.get_by_label("会员号").fill(other.member["member_no"])
        await form.get_by_role("button", name="代会员申请个人数据").click()
        await desk.sees("正在整理", f"会员 {other.member['member_no']}")


async def time_is_over(member_id: int) -> None:
    """The time to fetch what was handed to a member is over."""
    await db.pool().execute("UPDATE privacy_handout SET until = fetched_at WHERE member_id = $1", member_id)
