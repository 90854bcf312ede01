"""``make screenshots``: plays the story on a demo of its own and keeps what the pages look like in ``docs/images``."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pyotp
from PIL import Image
from playwright.async_api import Browser, async_playwright, expect

from backend.demo.load import MEMBERS
from backend.demo.people import Person, make_people
from tests.browser.actors import PHONE, TILL, Cashier, Member, Screen, open_screen
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.desk import DESK, Clerk

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST_BYTES = 200_000
COLOURS = 256
PIN = "142857"
START_S = 120


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """Run a demo on a temporary directory; what its ``demo.json`` says."""
    made = Path(tempfile.mkdtemp(prefix="huiyuan-shots-", dir="/tmp"))
    command = [sys.executable, "-m", "backend.cli.main", "demo", "--port", "0", "--data", str(made)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_S
        while not (made / "demo.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the demo did not start")
            time.sleep(0.1)
        yield json.loads((made / "demo.json").read_text())
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(made, ignore_errors=True)


def regular() -> Person:
    """A member of the demo with a year behind them; whoever registers with their number is them."""
    return max(
        make_people(MEMBERS, datetime.now(UTC)),
        key=lambda person: (len(person.name) == 2, person.sales, person.recharges),
    )


async def keep(screen: Screen, name: str) -> None:
    """Save the window as ``docs/images/<name>.png``, in few colours."""
    await screen.page.wait_for_timeout(400)
    taken = Image.open(BytesIO(await screen.page.screenshot(animations="disabled")))
    path = IMAGES / f"{name}.png"
    taken.convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    size = path.stat().st_size
    print(f"{path.relative_to(Path.cwd())}: {taken.width} x {taken.height}, {size // 1000} kB")
    if size > LARGEST_BYTES:
        raise SystemExit(f"{name}.png is larger than {LARGEST_BYTES} bytes")


async def story(browser: Browser, about: dict[str, Any]) -> None:
    """The walk of the README, with a picture at every stop."""
    url, terminal, person = about["base_url"], about["terminals"][0], regular()
    async with (
        open_screen(browser, f"{url}/?as=shots", PHONE, kind=Member) as phone,
        open_screen(browser, f"{url}/pos", TILL, kind=Cashier, scale=1.5) as counter,
    ):
        await phone.join(person.phone, person.name)
        await phone.set_pin(PIN)
        await phone.recharge("500")
        await phone.quiet()
        await own_screens(phone)
        await coupons(phone)
        await gift_card(phone, next(card for card in about["gift_cards"] if card["loaded_fen"]))
        await counter.enter_terminal(terminal["id"], terminal["secret"], "小李")
        await at_the_till(phone, counter)
        await with_confirmation(phone, counter)
        await cards(phone, counter)
        await mall(phone, counter, about)
    await at_the_desk(browser, about, person)


async def own_screens(phone: Member) -> None:
    """What a member looks at alone."""
    await phone.go("首页")
    await keep(phone, "phone-home")
    await phone.page.emulate_media(color_scheme="dark")
    await keep(phone, "phone-home-dark")
    await phone.page.emulate_media(color_scheme="light")
    await phone.button("充值", exact=True).click()
    await keep(phone, "phone-recharge")
    await phone.button("返回").click()
    await phone.button("明细", exact=True).click()
    await keep(phone, "phone-entries")
    await phone.button("返回").click()


async def coupons(phone: Member) -> None:
    """The coupon centre, two that are claimed there, and one of them."""
    await phone.button("领券中心").click()
    for title in ("满100减20", "鲜食水果9折券"):
        await phone.button(f"领取 {title}").click()
        await phone.sees("领取成功")
        await phone.quiet()
    await keep(phone, "phone-coupon-centre")
    await phone.button("返回").click()
    await phone.go("卡券")
    await keep(phone, "phone-coupons")
    await phone.page.get_by_role("link", name="鲜食水果9折券").click()
    await phone.sees("使用规则")
    await keep(phone, "phone-coupon")
    await phone.button("返回").click()


async def gift_card(phone: Member, card: dict[str, Any]) -> None:
    """A printed gift card is bound by its number and PIN."""
    await phone.go("首页")
    await phone.button("卡包").click()
    await phone.button("绑定礼品卡").click()
    await phone.field("卡号").fill(card["card_no"])
    await phone.field("卡密").fill(card["pin"])
    await phone.button("绑定", exact=True).click()
    await phone.sees("新人任务：奖励已放入卡券")
    await phone.quiet()
    await keep(phone, "phone-gift-card")
    await phone.page.evaluate("location.hash = '#/home'")


async def at_the_till(phone: Member, counter: Cashier) -> None:
    """A sale below the limit: the basket, the code, the result on both screens."""
    await ring_up(counter, ("山谷苹果", "晨光里鲜牛奶", "每日吐司", "江南绿茶"))
    code = await phone.show_code()
    await keep(phone, "phone-code")
    await counter.scan(code)
    await counter.sees("已付齐")
    await keep(counter, "pos-basket")
    await counter.page.emulate_media(color_scheme="dark")
    await keep(counter, "pos-dark")
    await counter.page.emulate_media(color_scheme="light")
    await counter.page.keyboard.press("F9")
    await counter.sees("收款成功")
    await keep(counter, "pos-settled")
    await expect(phone.dialog("支付成功")).to_be_visible()
    await phone.sees("茶饮买十送一：获得 1 个章")
    await phone.quiet()
    await keep(phone, "phone-receipt")
    await phone.button("完成", exact=True).click()
    await counter.page.keyboard.press("Enter")


async def with_confirmation(phone: Member, counter: Cashier) -> None:
    """A sale above the limit waits for the phone and its PIN."""
    await ring_up(counter, ("每日红酒", "洗车十次卡"))
    await counter.scan(await phone.next_code())
    await counter.sees("需会员在手机上确认")
    await counter.page.keyboard.press("F9")
    await phone.button("确认付款", exact=True).click()
    await phone.sees("请输入 6 位支付密码")
    await phone.tap_digits(PIN[:4])
    await keep(phone, "phone-confirm")
    await keep(counter, "pos-waiting")
    await phone.tap_digits(PIN[4:])
    await counter.sees("收款成功")
    await phone.button("完成", exact=True).click()
    await counter.page.keyboard.press("Enter")


async def cards(phone: Member, counter: Cashier) -> None:
    """All that the member carries by now, what one can collect for, and what the till is shown of it."""
    code = await phone.next_code()
    await ring_up(counter, ("山谷苹果", "江南绿茶"))
    await counter.scan(code)
    await expect(counter.page.locator("#cards")).to_contain_text("洗车十次卡")
    await counter.page.keyboard.press("F1")
    await expect(counter.page.locator(".tender.on[data-type=gift_card]")).to_be_visible()
    await keep(counter, "pos-cards")
    await phone.quiet()
    await phone.page.evaluate("location.hash = '#/campaigns'")
    await phone.page.get_by_role("link", name="七日签到").click()
    await phone.button("今日签到").click()
    await phone.sees("今天已签到")
    await phone.quiet()
    await keep(phone, "phone-campaign")
    await phone.page.evaluate("location.hash = '#/cards'")
    await phone.sees("洗车十次卡")
    await keep(phone, "phone-cards")


async def mall(phone: Member, counter: Cashier, about: dict[str, Any]) -> None:
    """From the mall's first page to what is fetched at the till."""
    await phone.page.evaluate("location.hash = '#/mall'")
    await phone.sees("限时优惠", "全部商品")
    await phone.quiet()
    await keep(phone, "phone-mall")
    await phone.page.evaluate("location.hash = '#/product?P-SHIRT'")
    for choice in ("墨绿", "L"):
        await phone.page.get_by_role("radio", name=choice, exact=True).check(force=True)
    await phone.button("加入购物车").click()
    await phone.sees("已加入购物车")
    await phone.quiet()
    await keep(phone, "phone-product")
    await phone.page.evaluate("location.hash = '#/goods?category=food'")
    await phone.page.locator("a.goods").first.click()
    await phone.button("加入购物车").click()
    await phone.sees("已加入购物车")
    await phone.quiet()
    await phone.page.get_by_role("link", name="购物车，2 件").click()
    await phone.sees("去结算（2）")
    await keep(phone, "phone-cart")
    await phone.button("去结算（2）").click()
    await expect(phone.button("提交订单")).to_be_enabled()
    await keep(phone, "phone-checkout")
    await phone.button("提交订单").click()
    await phone.sees("下单成功")
    await phone.button("等 2 件").click()
    await phone.sees("备货中")
    order_id = (await phone.page.evaluate("location.hash")).partition("?")[2]
    await make_ready(about, order_id)
    await expect(phone.page.get_by_role("img", name="取货二维码")).to_be_visible()
    await phone.quiet()
    await keep(phone, "phone-pickup")
    await counter.page.keyboard.press("Escape")
    await counter.scan((await phone.page.locator("#pickup-digits").inner_text()).replace(" ", ""))
    await counter.sees("共 2 件")
    await keep(counter, "pos-pickup")


async def make_ready(about: dict[str, Any], order_id: str) -> None:
    """What a packer does."""
    someone = next(one for one in about["staff"] if one["role"] == "admin")
    body = {"username": someone["username"], "password": someone["password"]}
    if someone["totp_secret"]:
        body["totp"] = pyotp.TOTP(someone["totp_secret"]).now()
    async with httpx.AsyncClient(base_url=about["base_url"], trust_env=False) as client:
        token = (await client.post("/v1/admin/login", json=body)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        (await client.post(f"/v1/admin/orders/{order_id}/ready", headers=headers)).raise_for_status()


async def at_the_desk(browser: Browser, about: dict[str, Any], person: Person) -> None:
    """What head office sees of that member."""
    someone = next(one for one in about["staff"] if one["role"] == "admin")
    totp = pyotp.TOTP(someone["totp_secret"]).now() if someone["totp_secret"] else ""
    async with open_screen(browser, f"{about['base_url']}/admin#/contact", DESK, kind=Clerk, scale=1.5) as desk:
        await desk.log_in(someone["username"], someone["password"], totp)
        await desk.field("查找会员").fill(person.phone)
        await desk.page.keyboard.press("Enter")
        await desk.sees(person.name, "常购商品")
        await keep(desk, "console-contact")


async def api_pages(browser: Browser, about: dict[str, Any]) -> None:
    """The API's documentation at the call that tills make most."""
    async with open_screen(browser, f"{about['base_url']}/docs", (1280, 860), kind=Screen, scale=1.2) as screen:
        await screen.page.get_by_role("link", name="结算一笔销售").click()
        await screen.sees("code_used")
        await keep(screen, "docs")


async def ring_up(counter: Cashier, words: tuple[str, ...]) -> None:
    """Find articles by name."""
    for word in words:
        await counter.page.keyboard.press("F3")
        await counter.page.keyboard.type(word, delay=60)
        await expect(counter.page.locator("#search-list [role=option]").first).to_be_visible()
        await counter.page.keyboard.press("Enter")


async def run() -> None:
    """Make every picture."""
    if CHROMIUM is None:
        raise SystemExit("no `chromium` on this machine")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo() as about:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            await api_pages(browser, about)
            await story(browser, about)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(run())
