"""Reads of what the conditions of a coupon are called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from backend.auth import queries as auth
from backend.members import queries as members

from ..types import Scope

MOST_NAMED = 50

ReadNames = Callable[[], Awaitable[Mapping[str, str]]]

_read_category_names: ReadNames | None = None


def name_categories_by(read: ReadNames) -> None:
    """From now on categories are called as ``read`` says, by code: the catalogue stands above this domain."""
    global _read_category_names
    _read_category_names = read


async def names_of(scope: Scope) -> dict[str, str]:
    """What the stores, categories and levels of a scope are called, by code; those that are no more keep their code."""
    stores = {code: await auth.find_store(code) for code in scope.stores[:MOST_NAMED]}
    levels = await members.levels() if scope.levels else {}
    categories = await _read_category_names() if scope.categories and _read_category_names else {}
    named = {code: store.name for code, store in stores.items() if store is not None}
    named |= {code: categories[code] for code in scope.categories if code in categories}
    return named | {code: levels[code].name for code in scope.levels if code in levels}
