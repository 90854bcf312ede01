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

from PIL import Image
from playwright.async_api import Browser, async_playwright, expect

from backend.demo.load import MEMBERS
from backend.demo.people import Person, make_people
from tests.browser.actors import PHONE, TILL, Cashier, Member, Screen, open_screen
from tests.browser.conftest import ARGUMENTS, CHROMIUM

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
        await counter.enter_terminal(terminal["id"], terminal["secret"], "小李")
        await at_the_till(phone, counter)
        await with_confirmation(phone, counter)


async def own_screens(phone: Member) -> None:
    """What a member looks at alone."""
    await phone.go("首页")
    await keep(phone, "phone-home")
    await phone.page.emulate_media(color_scheme="dark")
    await keep(phone, "phone-home-dark")
    await phone.page.emulate_media(color_scheme="light")
    await phone.go("充值")
    await keep(phone, "phone-recharge")
    await phone.go("明细")
    await keep(phone, "phone-entries")


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
    await keep(phone, "phone-receipt")
    await phone.button("完成", exact=True).click()
    await counter.page.keyboard.press("Enter")


async def with_confirmation(phone: Member, counter: Cashier) -> None:
    """A sale above the limit waits for the phone and its PIN."""
    await ring_up(counter, ("每日红酒", "每日白酒", "江南白酒"))
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
