"""The API's pages load nothing from elsewhere, run under a strict policy, and can be used by keyboard."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from urllib.parse import urljoin

import httpx
import pytest
from playwright.async_api import Page, async_playwright

from .conftest import Site

CHROMIUM = shutil.which("chromium")


def test_pages_have_a_policy_without_exceptions_and_need_no_other_host(http: httpx.Client) -> None:
    page = http.get("/docs")
    policy = page.headers["content-security-policy"]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    assert "://" not in page.text


def test_every_file_a_page_asks_for_is_served(http: httpx.Client) -> None:
    asked = ["/docs"]
    for path in asked:  # grows while it is walked
        answer = http.get(path)
        assert answer.status_code == 200, path
        found = re.findall(r'(?:src|href)="(/[^"#]+)"', answer.text) if path == "/docs" else []
        found += re.findall(r'from "(\./[^"]+)"', answer.text)
        asked += [urljoin(path, item) for item in found if urljoin(path, item) not in asked]

    assert set(asked) == {
        "/docs", "/docs/docs.css", "/docs/docs.js", "/docs/dom.js", "/docs/schema.js", "/openapi.json",
    }  # fmt: skip


@pytest.fixture
async def page(site: Site) -> AsyncIterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no `chromium` on this machine: the API's pages are not tried in a browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        made = await browser.new_page()
        complaints: list[str] = []
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await made.goto(f"{site.base_url}/docs")
        yield made
        await browser.close()
    assert complaints == []


@pytest.mark.browser
async def test_a_call_is_found_and_read_with_the_keyboard_alone(page: Page) -> None:
    await page.wait_for_selector("nav a")
    await page.keyboard.press("/")
    await page.keyboard.type("sold_out")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")

    await page.wait_for_selector("h1:has-text('下单')")
    text = await page.inner_text("main")
    for expected in ("/v1/orders", "Idempotency-Key", "sku", "1–64 个字符", "sold_out", "Nothing is left of it."):
        assert expected in text
    assert await page.evaluate("document.activeElement.id") == "content"


@pytest.mark.browser
async def test_every_page_of_the_directory_can_be_drawn(page: Page) -> None:
    await page.wait_for_selector("nav a")
    addresses = await page.eval_on_selector_all("nav a", "links => links.map(link => link.getAttribute('href'))")

    for address in addresses:
        await page.evaluate("address => { location.hash = address }", address)
        await page.wait_for_function(
            "address => document.querySelector('nav [aria-current]')?.getAttribute('href') === address", arg=address
        )

    assert len(addresses) > 20
