"""The server of the pages: what it gives, what it refuses, and how the browser may use it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from miniapp_mock import pages
from miniapp_mock.colors import brand_css, contrast, parse


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = pages.build("<惠员> & Co", "#0B7A5B")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop.test") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/pos", "/admin"])
async def test_a_page_allows_nothing_inline_and_no_other_host(client, path):
    answer = await client.get(path)

    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", answer.text)


async def test_the_chains_name_is_escaped(client):
    answer = await client.get("/")

    assert "<惠员>" not in answer.text
    assert "&#60;惠员&#62; &#38; Co" in answer.text


async def test_the_console_alone_has_its_own_files_and_no_others():
    app = pages.build("惠员", "#0B7A5B", console_only=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop.test") as client:
        page = await client.get("/admin")
        named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        there = [(await client.get(path)).status_code for path in named]
        others = ("/", "/pos", "/sw.js", "/manifest.webmanifest", "/static/pos/main.js", "/static/index.html")
        gone = [(await client.get(path)).status_code for path in (*others, "/static/shared/../pos/main.js")]

    assert len(named) > 4
    assert set(there) == {200}
    assert set(gone) == {404}


async def test_an_unchanged_file_is_not_sent_again(client):
    first = await client.get("/static/shared/format.js")

    again = await client.get("/static/shared/format.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/static/../pages.py",
        "/static/%2e%2e/pages.py",
        "/static/..%2fpages.py",
        "/static//etc/hostname",
        "/static/%00.js",
        "/static/shared",
        "/static/nothing.js",
    ],
)
async def test_nothing_outside_of_the_files_is_given(client, path):
    assert (await client.get(path)).status_code == 404


async def test_the_worker_keeps_every_file_of_the_phone_page(client):
    worker = (await client.get("/sw.js")).text

    (listed,) = re.findall(r"const FILES = (\[.*\]);", worker)
    files = json.loads(listed)

    assert "/" in files
    assert not [name for name in files if name.startswith(("/static/pos/", "/static/admin/"))]
    for name in files:
        assert (await client.get(name)).status_code == 200


async def test_the_manifest_names_the_chain(client):
    manifest = (await client.get("/manifest.webmanifest")).json()

    assert manifest["name"] == "<惠员> & Co"
    assert manifest["theme_color"] == "#0B7A5B"


@pytest.mark.parametrize(
    "color", ["#0B7A5B", "#FFD400", "#FFFFFF", "#000000", "#D81E06", "#1677FF", "#FF8800", "#999999"]
)
def test_text_stays_readable_whatever_the_brand(color):
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in brand_css(color).split("@media"))

    assert contrast(parse(light["brand"]), parse(light["on-brand"])) >= 4.5
    assert contrast(parse(light["brand-deep"]), parse(light["on-brand"])) >= 4.5
    assert contrast(parse(light["brand-text"]), parse("#ffffff")) >= 4.5
    assert contrast(parse(light["brand-text"]), parse(light["brand-soft"])) >= 4.5
    assert contrast(parse(dark["brand-text"]), parse("#1c1f22")) >= 4.5
    assert contrast(parse(dark["brand-text"]), parse(dark["brand-soft"])) >= 4.5


@pytest.mark.parametrize("color", ["red", "#fff", "#0B7A5B;}", "#0B7A5G", ""])
def test_another_form_of_colour_is_refused(color):
    with pytest.raises(ValueError, match="#rrggbb"):
        pages.build("惠员", color)


def test_no_module_writes_markup_or_inline_style():
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style:")

    offenders = [path.name for path in Path(pages.STATIC).rglob("*.js") if forbidden.search(path.read_text())]

    assert offenders == []
