"""A real Chromium (Debian's) for the pages; where there is none, its tests are skipped in one line each."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from miniapp_mock import pages
from tests.browser.shop import admin, chain, phone  # noqa: F401

BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first that is there. The shell lays out, draws and runs pages as the others do, at half their cost."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",  # a page that follows another in a window goes on in its process
]


NO_CHROMIUM = "no `chromium` on this machine: the pages are not tried in a browser"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say it in one line that these tests were skipped, not in one for each."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple) and NO_CHROMIUM in report.longrepr[2]:
        report.longrepr = (str(item.path.parent), None, NO_CHROMIUM)  # type: ignore[assignment]
    return report


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session", autouse=True)
def _files_are_known() -> Iterator[None]:
    """A window that has a file of a page does not ask for it again: there are 160, and nobody changes them here."""
    answer = pages._answer

    def kept(request: Request, content: bytes, suffix: str) -> Response:
        response = answer(request, content, suffix)
        if suffix == ".js" and request.url.path != "/sw.js":
            response.headers["Cache-Control"] = "max-age=3600"
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "_answer", kept)
        yield


@pytest.fixture
def kept_page() -> None:
    """The phone page keeps itself on the phone, as it does: for tests in which it starts without a network."""


@pytest.fixture(autouse=True)
def _page_is_not_kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For that it fetches all of its files once more and stores them, a third of what a fresh window costs."""

    def nothing(_: bytes) -> bytes:
        raise HTTPException(404)

    if "kept_page" not in request.fixturenames:
        monkeypatch.setattr(pages, "_service_worker", nothing)


@pytest.fixture(scope="session")
async def pages_url() -> AsyncIterator[str]:
    """The pages alone, without a backend behind them."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(pages.build("惠员便利", "#0B7A5B"), log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture(scope="session")
async def modules(chromium: Browser, pages_url: str) -> AsyncIterator[Page]:
    """A bare page of our origin, in which modules can be imported and called: see ``call``."""
    page = await chromium.new_page()
    await page.goto(f"{pages_url}/static/icon.svg")
    yield page
    await page.close()


@pytest.fixture
def call(modules: Page) -> Any:
    """``await call("code.js", "codeFor", device, step)``: one exported function of a shared module, in the browser."""

    async def run(module: str, function: str, *arguments: object) -> Any:
        script = "async ([module, name, args]) => (await import(`/static/shared/${module}`))[name](...args)"
        return await modules.evaluate(script, [module, function, list(arguments)])

    return run
