"""What articles and suppliers are called, for documents that name them."""

from __future__ import annotations

from collections.abc import Iterable

from backend.kernel import db

_ARTICLES = f"SELECT sku, name, cost_fen FROM mall_article WHERE sku = ANY({db.given(1, 'text')})"  # noqa: S608 - constants
_SUPPLIERS = f"SELECT code, name FROM mall_supplier WHERE code = ANY({db.given(1, 'text')})"  # noqa: S608 - constants


async def find_article_names(skus: Iterable[str]) -> dict[str, tuple[str, int | None]]:
    """Name and cost of a piece (None where nobody said) of those of these articles that there are."""
    return {row["sku"]: (row["name"], row["cost_fen"]) for row in await db.fetch(_ARTICLES, sorted(set(skus)))}


async def find_supplier_names(codes: Iterable[str]) -> dict[str, str]:
    """The names of those of these suppliers that there are."""
    return {row["code"]: row["name"] for row in await db.fetch(_SUPPLIERS, sorted(set(codes)))}
