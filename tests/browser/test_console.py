"""The staff console in Chromium: logging in, what each role finds, its keyboard, and the end of a session."""

from __future__ import annotations

import uuid
from datetime import timedelta

import httpx
import pyotp
from playwright.async_api import expect

from tests.browser.desk import DESK, PASSWORD, TABLET, Clerk, console
from tests.browser.looks import faint_texts, small_targets
from tests.browser.shop import tab_to
from tests.registration.test_applications import guest
from tests.support.staff import StaffSession, log_in


async def kept(screen: Clerk) -> dict[str, list[str]]:
    """What the page keeps, by place."""
    return await screen.page.evaluate(
        "() => ({ local: Object.keys(localStorage), session: Object.keys(sessionStorage).sort() })"
    )


async def test_logging_in_with_a_second_factor_and_out_again(chromium, server, chain, admin):
    made = await admin.post("/v1/admin/staff", _person(totp=True))
    assert made.status_code == 201, made.text
    name, secret = made.json()["staff"]["username"], made.json()["totp_secret"]
    async with console(chromium, server) as screen:
        await screen.log_in(name)
        await screen.sees("用户名、密码或动态验证码不正确")
        right = pyotp.TOTP(secret).now()
        await screen.field("动态验证码").fill(str((int(right) + 1) % 10**6).zfill(6))
        await screen.page.keyboard.press("Enter")
        await expect(screen.field("动态验证码")).to_have_value("")
        await screen.sees("用户名、密码或动态验证码不正确")
        refused = await kept(screen)

        await screen.field("动态验证码").fill(pyotp.TOTP(secret).now())
        await screen.page.keyboard.press("Enter")
        await screen.sees(f"你好，{name}")
        inside = await kept(screen)
        await screen.page.reload()
        await screen.sees(f"你好，{name}")
        await screen.button("退出登录").click()
        await screen.sees("员工登录")

        device = f"huiyuan-console-device-{name}"  # what the chain knows this browser by, no credential by itself
        assert refused == {"local": [], "session": ["huiyuan-console-tab"]}
        assert inside == {"local": [device], "session": ["huiyuan-console", "huiyuan-console-tab"]}
        assert await kept(screen) == refused | {"local": [device]}


def _person(**more):
    return {"username": f"p{uuid.uuid4().hex[:8]}", "password": PASSWORD, "role": "admin"} | more


async def test_each_role_finds_its_screens_and_no_other(chromium, server, chain, admin):
    clerk = _person(role="clerk", store_id="S1")
    assert (await admin.post("/v1/admin/staff", clerk)).status_code == 201
    async with console(chromium, server) as screen:
        await screen.log_in("admin")
        await screen.go("员工")
        await screen.sees(clerk["username"])
        await screen.go("门店与终端")
        await screen.sees("南京路店", "S1-T1")
        await screen.page.go_back()
        await expect(screen.page.get_by_role("heading", name="员工", level=1)).to_be_visible()
        of_admin = await screen.page.locator(".nav-link").all_text_contents()

        await screen.button("退出登录").click()
        await screen.log_in(clerk["username"])
        await screen.sees(f"你好，{clerk['username']}")
        of_clerk = await screen.page.locator(".nav-link").all_text_contents()
        await screen.page.evaluate("location.hash = '#/staff'")
        await screen.sees("没有这个页面")

        assert {"员工", "门店与终端", "会员列表"} <= set(of_admin)
        assert {"员工", "门店与终端"}.isdisjoint(of_clerk)
        assert "会员列表" in of_clerk


async def test_a_session_goes_on_with_another_token_and_ends_when_it_was_ended(chromium, server, chain, admin, clock):
    person = (await admin.post("/v1/admin/staff", _person())).json()["staff"]
    async with console(chromium, server, "#/staff") as screen:
        await screen.log_in(person["username"])
        await screen.sees("新增员工")
        first = await screen.page.evaluate("sessionStorage.getItem('huiyuan-console')")
        clock.shift(timedelta(minutes=16))  # the access token is dead, nobody told the page
        await screen.go("会员列表")
        await screen.sees("最新的在前")
        await expect(screen.page.locator(".table-card[aria-busy]")).to_have_count(0)
        second = await screen.page.evaluate("sessionStorage.getItem('huiyuan-console')")

        office = await log_in(admin.client, chain, "admin")
        assert (await office.post(f"/v1/admin/staff/{person['id']}/close")).status_code == 204
        await screen.go("员工")
        await screen.sees("登录已失效，请重新登录，会回到刚才的页面")
        await screen.log_in("admin")
        await expect(screen.page.get_by_role("heading", name="员工", level=1)).to_be_visible()

        assert first != second


async def test_a_copied_tab_logs_in_anew_and_harms_nobody(chromium, server, chain):
    async with console(chromium, server) as screen:
        await screen.log_in("admin")
        await screen.sees("你好，admin")
        stored = await screen.page.evaluate("JSON.stringify(sessionStorage)")
        copy = Clerk(await screen.page.context.new_page())
        await copy.page.add_init_script(
            f"if (!sessionStorage.length) Object.entries({stored}).forEach(([k, v]) => sessionStorage.setItem(k, v))"
        )
        await copy.page.goto(f"{server.base_url}/admin")
        await copy.sees("员工登录")

        await screen.go("会员列表")
        await screen.sees("最新的在前")


async def test_by_keyboard_alone_members_are_approved_and_staff_added(chromium, server, chain, client, admin):
    await _register_waiting(admin, client, "李小红")
    new = f"k{uuid.uuid4().hex[:8]}"
    async with console(chromium, server) as screen:
        await screen.log_in("admin")
        await screen.sees("位顾客等待注册审核")
        await tab_to(screen.page, "位顾客等待注册审核")
        await screen.page.keyboard.press("Enter")
        await screen.sees("李小红")
        await tab_to(screen.page, "通过 李小红")
        await screen.page.keyboard.press("Enter")
        await screen.sees("没有这样的申请")

        await screen.page.evaluate("location.hash = '#/staff'")
        await screen.sees("新增员工")
        await screen.page.keyboard.press("?")
        await expect(screen.dialog("键盘快捷键")).to_contain_text("新增员工")
        await screen.page.keyboard.press("Escape")
        await screen.page.keyboard.press("n")
        await expect(screen.dialog("新增员工")).to_be_visible()
        await screen.page.keyboard.type(new)
        await screen.page.keyboard.press("Tab")
        await screen.page.keyboard.type("short")
        await screen.page.keyboard.press("Enter")
        await expect(screen.dialog("新增员工").locator(".field.wrong")).to_have_count(1)
        await screen.dialog("新增员工").get_by_label("密码").fill("long enough, at last")
        await screen.page.keyboard.press("Enter")
        await screen.sees("请检查标红的内容")  # a clerk belongs to a store
        await screen.dialog("新增员工").get_by_label("门店").select_option("S1")
        await tab_to(screen.page, "保存")
        await screen.page.keyboard.press("Enter")
        await expect(screen.dialog("动态验证码密钥")).to_be_visible()
        await screen.page.keyboard.press("Escape")
        await screen.sees(new)


async def _register_waiting(admin: StaffSession, client: httpx.AsyncClient, name: str) -> None:
    for version, mode in enumerate(("queue", "automatic")):
        body = {"version": version, "mode": mode}
        assert (await admin.call("PUT", "/v1/admin/registration/policy", body)).status_code == 200
        if mode == "queue":
            assert (await (await guest(client)).register(name=name)).status_code == 201


async def test_texts_stand_out_and_targets_are_large_by_day_and_night(chromium, server, chain):
    for dark, size in ((False, DESK), (True, TABLET)):
        async with console(chromium, server, "#/stores", size, dark=dark) as screen:
            assert await faint_texts(screen.page) == []
            await screen.log_in("admin")
            await screen.sees("S1-T1")
            assert await faint_texts(screen.page) == []
            assert [text for text in await small_targets(screen.page) if "跳到内容" not in text] == []
            wide = await screen.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0


async def test_what_fails_says_why_and_is_tried_again(chromium, server, chain):
    async with console(chromium, server) as screen:
        await screen.log_in("admin")
        await screen.sees("你好，admin")
        problem = '{"status": 503, "code": "unavailable", "detail": "the database is resting"}'
        await screen.page.route(
            "**/v1/admin/staff",
            lambda route: route.fulfill(status=503, content_type="application/problem+json", body=problem),
        )
        await screen.go("员工")
        await screen.sees("系统繁忙，请稍后再试", "the database is resting")
        await screen.page.unroute("**/v1/admin/staff")
        await screen.button("重试").click()
        await screen.sees("manager-S1")
