"""A chain with a mall, and somebody with its phone page open: what the journeys through the mall begin with."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from backend.kernel import clock, db
from backend.mall import service as mall
from backend.mall.shown import forget
from tests.browser.actors import PHONE, Member, open_screen
from tests.support import wire
from tests.support.mall import open_mall, put
from tests.support.members import random_phone, register
from tests.support.seed import Chain, seed_chain
from tests.support.server import Server
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings, give

WATER, APPLE = "6901", "6902"
SHIRT, SIZES = "P-SHIRT", {"S": "7001", "M": "7002"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(chromium, server) -> Chain:
    """Two stores and a mall: water and apples, and a shirt that comes in two sizes and, in white, in one."""
    made = await seed_chain(server.base_url)
    await open_mall("S1", "S2")
    async with db.transaction() as tx:
        await add_shirt(db.raw(tx))
        skus = [row[0] for row in await db.raw(tx).fetch("SELECT sku FROM mall_article")]
        ids = [row[0] for row in await db.raw(tx).fetch("SELECT id FROM mall_product")]
        await mall.index_articles(tx, skus)
        await mall.index_products(tx, ids)
    for sku in (WATER, APPLE, SIZES["S"], "7003"):
        await put("S1", sku, 20, 2_000)
    forget()
    return made


async def add_shirt(connection: Any) -> None:
    """Green in S and (never stocked) M, white in S only."""
    axes = '[{"name": "颜色", "values": ["墨绿", "白色"]}, {"name": "尺码", "values": ["S", "M"]}]'
    now = clock.now()
    await connection.execute(
        "INSERT INTO mall_product (id, name, subtitle, category_id, description, pictures, axes, attributes, active,"
        " name_key, version, created_at, updated_at, from_fen)"
        " VALUES ($1, '纪念衫', '', 'fruit', '纯棉', '[]', $2::jsonb, '{}', true, '', 1, $3, $3, 7900)",
        SHIRT,
        axes,
        now,
    )
    for sku, spec in ((SIZES["S"], '["墨绿", "S"]'), (SIZES["M"], '["墨绿", "M"]'), ("7003", '["白色", "S"]')):
        await connection.execute(
            "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active, product_id, spec, weight_g,"
            " tracked) VALUES ($1, '纪念衫', 'fruit', 7900, true, $2, $3::jsonb, 300, true)",
            sku,
            SHIRT,
            spec,
        )
    await connection.execute(
        "INSERT INTO mall_publication (channel, store_id, product_id, at) VALUES ('mall', 'S1', $1, $2)", SHIRT, now
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(server, chain) -> AsyncIterator[StaffSession]:
    async with wire.connected(server.base_url) as client:
        yield await log_in(client, chain, "admin")


@asynccontextmanager
async def known_member(chromium: Browser, server: Server, *, fen: int = 0) -> AsyncIterator[Member]:
    """The phone page of a member who has joined elsewhere (a quarter of a page's cost), with so much stored value."""
    who, number = uuid.uuid4().hex, random_phone()
    async with wire.connected(server.base_url) as client:
        member = await register(client, who=who, phone=number)
    if fen:
        await give(member.member_id, principal=fen)
    async with open_screen(chromium, f"{server.base_url}/?as={who}", PHONE, kind=Member) as screen:
        screen.number = number
        await screen.sees("王小明")
        yield screen
        assert screen.broken == []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium, server, chain) -> AsyncIterator[Member]:
    """Somebody who has just joined, with ¥500 of stored value; afterwards the books balance."""
    async with known_member(chromium, server, fen=50_000) as screen:
        yield screen
    assert await findings(server.settings) == []


async def ask(phone: Member, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A call of the member's, from their phone."""
    return await phone.page.evaluate(_ASK, [method, path, body])


_ASK = """async ([method, path, body]) => {
  const { createApi, newKey } = await import("/static/shared/api.js");
  const { wx } = await import("/static/wx.js");
  const api = createApi(wx);
  if (method === "PUT") return api.put(path, body);
  return method === "GET" ? api.get(path) : api.post(path, body, { key: await newKey(wx) });
}"""


async def there(phone: Member, place: str) -> None:
    await phone.page.evaluate(f"location.hash = '#/{place}'")


async def shown_order(phone: Member) -> str:
    """Which order, or request, is looked at."""
    return (await phone.page.evaluate("location.hash")).partition("?")[2]


async def buy(phone: Member, product_id: str) -> None:
    """Go straight to the checkout of one piece."""
    await there(phone, f"product?{product_id}")
    await phone.button("立即购买").click()
    await expect(phone.page.get_by_role("heading", name="确认订单", level=1)).to_be_visible()
    await expect(phone.button("提交订单")).to_be_enabled()


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus says this."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        said = await page.evaluate(
            """() => {
              const at = document.activeElement;
              return at === document.body ? "" : at.getAttribute("aria-label") || at.textContent;
            }"""
        )
        if name in said:
            return
    raise AssertionError(f"no way to {name} by keyboard")
