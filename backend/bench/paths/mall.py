"""The phone's mall: a page of products, any page, a product; two thousand products, each with two articles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from backend.bench.population import Member, Population
from backend.bench.requests import Requests
from backend.kernel import searching
from backend.kernel.vault import Vault

from . import Domain, Path, Rows

PRODUCTS = 2_000
_MADE = ["江南", "晨光", "小满", "山谷", "每日", "云岭", "海岸", "白鹭"]
_OF = ("苹果", "红茶", "牛奶", "面包", "饼干", "酸奶", "坚果", "抽纸", "毛巾", "牙膏", "米酒", "咖啡", "豆浆", "海苔")
_SIZES = ("小份", "大份")


def name_of(number: int) -> str:
    """What a product is called."""
    return f"{_MADE[number % len(_MADE)]}{_OF[number // len(_MADE) % len(_OF)]}{number}"


def _rows(population: Population, members: Sequence[Member], box: Vault, now: datetime) -> Rows:
    if members[0].number:
        return {}
    stores = sorted({till.store_id for till in population.tills})
    axes = msgspec.json.encode([{"name": "份量", "values": _SIZES}]).decode()
    return {
        "mall_product": (
            (
                "id", "name", "subtitle", "category_id", "description", "pictures", "axes", "attributes", "active",
                "name_key", "from_fen", "version", "created_at", "updated_at",
            ),
            [
                (
                    f"P{n}", name_of(n), "", "bench", "", "[]", axes, "{}", True, searching.name_key(name_of(n)),
                    500 + n, 1, now - timedelta(minutes=n), now,
                )
                for n in range(PRODUCTS)
            ],
        ),
        "mall_article": (
            ("sku", "name", "category_id", "unit_price_fen", "active", "product_id", "spec"),
            [
                (f"M{n}-{size}", f"{name_of(n)} {label}", "bench", 500 + n + size, True, f"P{n}", f'["{label}"]')
                for n in range(PRODUCTS)
                for size, label in enumerate(_SIZES)
            ],
        ),
        "mall_publication": (
            ("channel", "store_id", "product_id", "at"),
            [("mall", store, f"P{n}", now) for store in stores for n in range(PRODUCTS)],
        ),
    }  # fmt: skip


def _store(requests: Requests, n: int) -> str:
    tills = requests.population.tills
    return tills[n % len(tills)].store_id


def _products(requests: Requests, n: int) -> bytes:
    """The first page of some store."""
    target = f"/v1/member/mall/products?store_id={_store(requests, n)}"
    return requests.of_member(n % requests.members, "GET", target)


def _page(requests: Requests, n: int) -> bytes:
    """A page that hardly anybody else asks for: between two prices."""
    low = 500 + n * 7 % PRODUCTS
    target = f"/v1/member/mall/products?store_id={_store(requests, n)}&min_fen={low}&max_fen={low + 500}&sort=price"
    return requests.of_member(n % requests.members, "GET", target)


def _product(requests: Requests, n: int) -> bytes:
    target = f"/v1/member/mall/products/P{n * 7 % PRODUCTS}?store_id={_store(requests, n)}"
    return requests.of_member(n % requests.members, "GET", target)


DOMAIN = Domain(
    order=60,
    paths=(
        Path(name="mall", call="GET /v1/member/mall/products", request=_products),
        Path(name="mall-pages", call="GET /v1/member/mall/products, each another page", request=_page),
        Path(name="mall-product", call="GET /v1/member/mall/products/{spu}", request=_product),
    ),
    rows=_rows,
)
