"""Rates and categories of articles, and searching articles."""

from __future__ import annotations

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.mall import queries
from backend.mall.types import ArticleClass


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def catalogue(database):
    await db.pool().execute(
        "INSERT INTO mall_category (code, name, points_rate_bp) VALUES"
        " ('drinks', '饮料', 10000), ('fruit', '水果', 20000), ('liquor', '酒', 0)"
    )
    await db.pool().execute(
        "INSERT INTO mall_article (sku, barcode, name, category_id, unit_price_fen, active) VALUES"
        " ('1', '690001', '纯净水', 'drinks', 200, true), ('2', NULL, '50%苹果_汁', 'drinks', 900, true),"
        " ('3', '690003', '苹果', 'fruit', 1250, true), ('4', '690004', '苹果(旧)', 'fruit', 1250, false),"
        " ('5', '690005', '茅台', 'liquor', 149900, true)"
    )
    queries.forget_classes()


@pytest.mark.parametrize(
    ("sku", "category", "rate", "of"),
    [
        ("3", None, 20_000, "fruit"),
        ("3", "liquor", 20_000, "fruit"),
        ("5", None, 0, "liquor"),
        ("4", None, 20_000, "fruit"),
        ("unknown", "fruit", 20_000, "fruit"),
        ("unknown", "unknown", 10_000, "unknown"),
        ("unknown", None, 10_000, None),
        ("unknown", "", 10_000, None),
    ],
)
async def test_our_category_decides_then_the_tills_then_the_standard(sku, category, rate, of):
    assert await queries.find_classes([(sku, category)]) == [ArticleClass(rate, of)]


async def test_classes_come_in_the_order_of_the_lines():
    found = await queries.find_classes([("5", None), ("3", None), ("5", None), ("1", None)])

    assert [article.rate_bp for article in found] == [0, 20_000, 0, 10_000]


@pytest.mark.parametrize(
    ("text", "skus"),
    [
        ("690003", ["3"]),
        ("3", ["3"]),
        ("苹果", ["2", "3"]),
        ("%", ["2"]),
        ("_", ["2"]),
        ("\\", []),
        ("690004", []),
        ("nothing", []),
    ],
)
async def test_articles_are_found_by_sku_barcode_and_part_of_the_name(text, skus):
    assert sorted(article.sku for article in await queries.search_articles(text, 10)) == skus


async def test_an_exact_number_comes_first_and_the_limit_holds():
    await db.pool().execute(
        "INSERT INTO mall_article (sku, name, category_id, unit_price_fen, active)"
        " VALUES ('6', 'A 3', 'fruit', 1, true)"
    )

    assert [article.sku for article in await queries.search_articles("3", 10)] == ["3", "6"]
    assert [article.sku for article in await queries.search_articles("3", 1)] == ["3"]
