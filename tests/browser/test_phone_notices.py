"""A member reads what is announced, and looks something up in the handbook."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest
from playwright.async_api import expect

from tests.browser.actors import Member
from tests.browser.looks import faint_texts, small_targets
from tests.support.pictures import picture
from tests.support.staff import StaffSession

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BODY = """## 营业时间

国庆期间 **照常营业**，详情见 [服务手册](#/handbook) 或 [官网](https://example.com/holiday)。

1. 早上九点开门
2. 晚上十点打烊

> 如有变动以门店通知为准

| 日期 | 时间 |
| --- | --- |
| 10月1日 | 9:00–22:00 |

<script>alert(1)</script>
"""


async def announce(admin: StaffSession, **fields: object) -> str:
    made = await admin.post("/v1/admin/announcements", {"title": "x", "body": BODY, **fields}, key=uuid4().hex)
    assert made.status_code == 201, made.text
    shown = await admin.post(f"/v1/admin/announcements/{made.json()['id']}/publish", {"revision": 1})
    assert shown.status_code == 200, shown.text
    found: str = made.json()["id"]
    return found


async def chapter(admin: StaffSession, title: str, body: str, **fields: object) -> str:
    made = await admin.post("/v1/admin/handbook/chapters", {"title": title, "body": body, **fields}, key=uuid4().hex)
    assert made.status_code == 201, made.text
    await admin.post(f"/v1/admin/handbook/chapters/{made.json()['id']}/publish", {"revision": 1})
    found: str = made.json()["id"]
    return found


@pytest.mark.usefixtures("kept_page")
async def test_an_announcement_is_read_and_a_question_is_answered_by_the_handbook(phone: Member, admin: StaffSession):
    page = phone.page
    sent = await admin.client.post(
        "/v1/admin/mall/media",
        content=picture(size=(1200, 675), color="#0B7A5B"),
        headers={"authorization": f"Bearer {admin.access_token}", "content-type": "image/png"},
    )
    pinned = await announce(admin, title="国庆营业时间", summary="十月一日至三日", cover=sent.json()["id"], pinned=True)
    await announce(admin, title="新品上市")
    await announce(admin, title="只给别人", audience={"member_nos": ["199999999999"]})
    top = await chapter(admin, "购物", "线上线下同价。")
    await chapter(admin, "退货与换货", "七天内凭小票可以退货，十五天内可以换货。", parent_id=top)
    await chapter(admin, "店务", "七点开门", visibility="staff")

    await phone.go("首页")
    await page.reload()
    await phone.sees("国庆营业时间", "新品上市", "2 条未读")
    await expect(page.get_by_text("只给别人")).to_have_count(0)
    await shoot(phone, "notices-home")
    await phone.go("我的")
    await expect(phone.button("公告 2 条未读")).to_be_visible()
    await expect(phone.button("消息", exact=True)).to_be_visible()  # letters are counted by themselves
    await look(phone)
    await phone.go("首页")
    await phone.button("全部公告").click()
    await expect(page.locator(".notice-card")).to_have_count(2)
    await expect(page.locator(".notice-cover")).to_have_js_property("naturalWidth", 1200)
    await look(phone)
    await shoot(phone, "notices-list")

    await page.get_by_role("link", name="国庆营业时间").click()
    await phone.sees("照常营业", "早上九点开门", "9:00–22:00", "<script>alert(1)</script>")
    await expect(page.get_by_role("link", name="官网")).to_have_attribute("rel", "noopener noreferrer")
    await look(phone)
    await shoot(phone, "notices-page")
    reach = f"/v1/admin/announcements/{pinned}/reach"
    assert (await admin.get(reach)).json()["readers"] == 1
    await phone.button("返回").click()
    await expect(page.get_by_role("link", name="国庆营业时间").get_by_text("置顶")).to_be_visible()
    await expect(page.get_by_role("link", name="新品上市").get_by_text("未读")).to_be_visible()
    await page.get_by_role("link", name="国庆营业时间").click()
    await page.get_by_role("link", name="服务手册").click()

    await phone.sees("购物", "退货与换货")
    await expect(page.get_by_text("店务")).to_have_count(0)
    await shoot(phone, "handbook")
    search = page.get_by_role("searchbox", name="搜索服务手册")
    await search.fill("请问怎么退货？")
    await phone.sees("七天内凭小票可以退货")
    await look(phone)
    await shoot(phone, "handbook-search")
    await page.get_by_role("link", name="退货与换货").click()
    await phone.sees("十五天内可以换货", "购物")
    await shoot(phone, "handbook-chapter")
    await phone.button("返回").click()
    await search.fill("火星")
    await phone.sees("没有找到“火星”")
    await phone.button("联系客服").click()
    await phone.sees("还没有咨询记录")

    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.context.set_offline(True)
    await page.goto(page.url.split("#")[0] + "#/announcements")
    await phone.sees("国庆营业时间")


async def look(phone: Member) -> None:
    assert await small_targets(phone.page) == []
    assert await faint_texts(phone.page) == []


async def shoot(phone: Member, name: str) -> None:
    """A picture for eyes, where somebody asks for it."""
    if folder := os.environ.get("SHOTS"):
        await phone.page.screenshot(path=f"{folder}/{name}.png")
