"""A small chain for tests: two stores, four terminals, staff, levels, articles. Made through the domains' services."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from backend.auth import service as auth
from backend.auth.types import Role, Store
from backend.kernel import db
from tests.support.pos import Till


@dataclass(frozen=True)
class Login:
    """Somebody with a password."""

    username: str
    password: str
    role: str
    store_id: str | None


@dataclass(frozen=True)
class Chain:
    """What was made: tills by store, and staff."""

    tills: dict[str, list[Till]]
    staff: list[Login]

    @property
    def till(self) -> Till:
        """The first till of the first store."""
        return self.tills["S1"][0]


ARTICLES = (
    ("6901", "690000000001", "纯净水", "drinks", 200),
    ("6902", "690000000002", "苹果", "fruit", 1250),
    ("6903", None, "茅台", "liquor", 149_900),
)
CATEGORIES = (("drinks", "饮料", 10_000), ("fruit", "水果", 20_000), ("liquor", "酒", 0))


async def seed_chain(base_url: str) -> Chain:
    """Make the chain in the open database."""
    hashed = await auth.hash_secret("correct horse")
    staff: list[Login] = []
    tills: dict[str, list[Till]] = {}
    async with db.transaction() as tx:
        for store_id, name in (("S1", "南京路店"), ("S2", "徐家汇店")):
            await auth.create_store(tx, Store(id=store_id, name=name, timezone="Asia/Shanghai"))
            tills[store_id] = []
            for number in (1, 2):
                terminal_id, secret = await auth.create_terminal(
                    tx,
                    store_id,
                    f"{number} 号收银台",
                    terminal_id=f"{store_id}-T{number}",
                    secret=secrets.token_urlsafe(24),
                )
                tills[store_id].append(Till(base_url, terminal_id, secret, store_id))
            await auth.create_staff(
                tx, username=f"manager-{store_id}", password_hash=hashed, role=Role.MANAGER, store_id=store_id
            )
            staff.append(Login(f"manager-{store_id}", "correct horse", "manager", store_id))
        await auth.create_staff(tx, username="admin", password_hash=hashed, role=Role.ADMIN)
        staff.append(Login("admin", "correct horse", "admin", None))
        for code, name, rate in CATEGORIES:
            await db.raw(tx).execute(
                "INSERT INTO mall_category (code, name, points_rate_bp) VALUES ($1, $2, $3)", code, name, rate
            )
        for sku, barcode, name, category, price in ARTICLES:
            await db.raw(tx).execute(
                "INSERT INTO mall_article (sku, barcode, name, category_id, unit_price_fen, active)"
                " VALUES ($1, $2, $3, $4, $5, true)",
                sku,
                barcode,
                name,
                category,
                price,
            )
    return Chain(tills, staff)
