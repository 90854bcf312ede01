"""A member with a phone and a cashier at a till, as they use the pages; for journeys in Chromium and for pictures."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import zxingcpp
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

PHONE = (375, 812)
TILL = (1024, 768)
SCANNER_KEY_MS = 0
PATIENCE_MS = 60_000
"""Longer than anything takes on a busy machine: only what never comes is waited for so long."""

expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Screen:
    """One window of a browser and what went wrong in it."""

    page: Page
    broken: list[str] = field(default_factory=list)

    def button(self, name: str, *, exact: bool = False) -> Locator:
        """The button with this name."""
        return self.page.get_by_role("button", name=name, exact=exact)

    def field(self, name: str) -> Locator:
        """The text field whose name begins so."""
        return self.page.get_by_role("textbox", name=name)

    def dialog(self, name: str) -> Locator:
        """The open dialog with this name."""
        return self.page.get_by_role("dialog", name=name)

    async def sees(self, *texts: str) -> None:
        """Fail unless every text appears."""
        for text in texts:
            await expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()


S = TypeVar("S", bound=Screen)


_spare: defaultdict[tuple[Browser, tuple[int, int], bool, float], list[BrowserContext]] = defaultdict(list)


@asynccontextmanager
async def window(
    browser: Browser, size: tuple[int, int], *, dark: bool = False, scale: float = 2
) -> AsyncIterator[BrowserContext]:
    """A window with nothing open and nothing stored.

    The first page of a new one takes Chromium a second of processor time, every other page a fifth of that: one that
    somebody has left is emptied and used again. Its own first page is empty and stays.
    """
    spare = _spare[browser, size, dark, scale]
    context = spare.pop() if spare else await _open_window(browser, size, dark=dark, scale=scale)
    yield context
    await _empty(context)
    spare.append(context)


async def _open_window(browser: Browser, size: tuple[int, int], *, dark: bool, scale: float) -> BrowserContext:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
        color_scheme="dark" if dark else "light",
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
        permissions=["clipboard-write"],  # who taps a button may, as in a browser with windows
    )
    context.set_default_timeout(PATIENCE_MS)
    await context.new_page()
    return context


async def _empty(context: BrowserContext) -> None:
    await context.set_offline(offline=False)
    first, *others = context.pages
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(page.url)) for page in others}
    for page in others:
        await page.close()
    storage = await context.new_cdp_session(first)
    for origin in origins:
        await storage.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    await storage.detach()
    await context.clear_cookies()


@asynccontextmanager
async def open_screen(
    browser: Browser, url: str, size: tuple[int, int], *, kind: type[S], dark: bool = False, scale: float = 2
) -> AsyncIterator[S]:
    """A page on ``url`` in a window of its own (storage too); errors of its scripts are collected in ``broken``."""
    async with window(browser, size, dark=dark, scale=scale) as context:
        page = await context.new_page()
        screen = kind(page)
        page.on("pageerror", lambda error: screen.broken.append(str(error)))
        page.on(
            "console", lambda line: screen.broken.append(line.text) if "Content Security Policy" in line.text else None
        )
        await page.goto(url)
        yield screen


@dataclass
class Member(Screen):
    """Somebody with the phone page open; ``number`` is theirs where this phone was never told it."""

    number: str = ""

    async def join(self, phone: str, name: str, *, then: str = "") -> None:
        """Register with a phone number from WeChat, until the first screen shows the name, or what ``then`` says."""
        await self.button("手机号快速注册").click()
        await self.fill_registration(phone, name)
        await self.sees(then or name)

    async def fill_registration(self, phone: str, name: str) -> None:
        """Fill the form and send it."""
        await self.button("获取手机号").click()
        await self.field("手机号").fill(phone)
        await self.button("允许", exact=True).click()
        await self.field("姓名").fill(name)
        await self.page.get_by_role("checkbox").check()
        await self.button("完成注册").click()

    async def go(self, tab: str) -> None:
        """Open a screen of the tab bar."""
        await self.page.get_by_role("link", name=tab, exact=True).click()

    async def recharge(self, yuan: str) -> None:
        """Pay for the offer of so many yuan at WeChat's cashier, and wait for the result; ends on 首页."""
        await self.go("首页")
        await self.button("充值", exact=True).click()
        offer = self.page.get_by_role("radio", name=f"¥{yuan}")
        await offer.check(force=True)
        await self.button(f"立即充值 ¥{yuan}").click()
        await self.button("立即支付").click()
        await self.sees("充值成功")
        await self.button("完成", exact=True).click()

    async def set_pin(self, pin: str) -> None:
        """Set the payment PIN, proven by the phone number."""
        await self.go("我的")
        await self.button("支付密码").click()
        await self.button("验证手机号").click()
        if self.number:
            await self.field("手机号").fill(self.number)
        await self.button("允许", exact=True).click()
        for asked in ("请输入新的 6 位支付密码", "请再次输入新密码"):
            await self.sees(asked)
            await self.page.keyboard.type(pin, delay=SCANNER_KEY_MS)
        await self.sees("支付密码已设置")

    async def tap_digits(self, digits: str) -> None:
        """Tap on the PIN pad."""
        for digit in digits:
            await self.button(digit, exact=True).click()

    async def quiet(self) -> None:
        """Wait until no passing note covers the screen."""
        await expect(self.page.locator(".toast:visible")).to_have_count(0)

    async def next_code(self) -> str:
        """The first code after one that was used: its step must begin."""
        await self.go("会员码")
        await expect(self.page.get_by_role("img", name="会员二维码")).to_be_visible()
        return await self.show_code()

    async def show_code(self) -> str:
        """Show the code; returns what a scanner reads off the screen (QR and barcode must agree)."""
        await self.go("会员码")
        await expect(self.page.get_by_role("img", name="会员二维码")).to_be_visible()
        picture = Image.open(io.BytesIO(await self.page.screenshot()))
        found = {str(code.format): code.text for code in zxingcpp.read_barcodes(picture)}
        assert len(found) == 2, found
        (text,) = set(found.values())
        return text


_SCAN = """(text) => {
  for (const key of [...text, "Enter"]) {
    const target = document.activeElement || document.body;
    target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  }
}"""


class Cashier(Screen):
    """Somebody with the POS page open."""

    async def enter_terminal(self, terminal_id: str, secret: str, cashier: str = "") -> None:
        """Enter the terminal's id and secret, once."""
        await self.field("终端编号").fill(terminal_id)
        await self.page.get_by_label("终端密钥").fill(secret)
        await self.field("收银员").fill(cashier)
        await self.button("启用", exact=True).click()
        await self.sees("扫商品条码开始收银")

    async def scan(self, text: str) -> None:
        """What a hand scanner does: fast keys, then Enter; all at once, however busy the machine is."""
        await self.page.evaluate(_SCAN, text)

    async def ring_up(self, barcodes: Sequence[str]) -> None:
        """Scan articles one after the other."""
        rows = self.page.locator("#basket tbody tr")
        for position, barcode in enumerate(barcodes, 1):
            await self.scan(barcode)
            await expect(rows).to_have_count(position)

    async def find_sale(self, order_no: str) -> None:
        """Open the refund screen with this receipt number."""
        await self.button("退货").click()
        await self.field("小票单号").fill(order_no)
        await self.button("查找", exact=True).click()
        await self.sees(order_no)
