"""Somebody of the staff with the console open, for journeys in Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Browser

from backend.kernel import limits
from tests.browser.actors import Screen, open_screen
from tests.support.server import Server

DESK = (1280, 800)
TABLET = (768, 1024)
PASSWORD = "correct horse"


@dataclass
class Clerk(Screen):
    """Somebody of the staff with the console open."""

    async def log_in(self, username: str, password: str = PASSWORD, totp: str = "") -> None:
        """Fill the login and send it by Enter."""
        await self.field("用户名").fill(username)
        await self.page.get_by_label("密码").fill(password)
        await self.field("动态验证码").fill(totp)
        await self.page.keyboard.press("Enter")

    async def go(self, name: str) -> None:
        """Open a screen of the navigation."""
        await self.page.get_by_role("navigation", name="导航").get_by_role("link", name=name).click()


@asynccontextmanager
async def console(
    chromium: Browser, server: Server, address: str = "", size: tuple[int, int] = DESK, *, dark: bool = False
) -> AsyncIterator[Clerk]:
    """The console at an address (``#/members``) in a window of its own, nobody logged in; no script breaks."""
    limits.forget()
    async with open_screen(chromium, f"{server.base_url}/admin{address}", size, kind=Clerk, dark=dark) as screen:
        yield screen
        assert screen.broken == []
