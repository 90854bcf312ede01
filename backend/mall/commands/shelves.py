"""Staff keep what orders the catalogue: categories, brands, suppliers and their kinds, attributes."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid

from .. import service, shown
from ..errors import StillInUse
from ..rules import tree
from ..schemas.admin import AttributeIn, BrandIn, CategoryIn, SupplierCategoryIn, SupplierIn

log = logging.get(__name__)

_RENAMED = (
    "UPDATE mall_product SET terms = NULL WHERE {column} = $1",
    "UPDATE mall_article SET terms = NULL WHERE {column} = $1",
)


async def put_category(code: str, body: CategoryIn, staff_id: int) -> None:
    """Add a category or put it in another's place; it may lie under any that does not lie under it."""
    async with db.transaction() as tx:
        # One at a time: two moves that are right by themselves could make a circle together.
        await db.raw(tx).execute("LOCK TABLE mall_category IN SHARE ROW EXCLUSIVE MODE")
        rows = await db.fetch_in(tx, "SELECT code, parent_id FROM mall_category")
        parents = {row[0]: row[1] for row in rows}
        if body.parent is not None and body.parent not in parents:
            raise invalid("/parent", "there is no such category")
        if not tree.may_move(parents, code, body.parent):
            raise invalid("/parent", f"lies under this category, or deeper than {tree.MOST_LEVELS} levels")
        await _check_picture(tx, body.picture)
        await _put(
            tx,
            "INSERT INTO mall_category AS c (code, name, points_rate_bp, parent_id, sort, shown, picture)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name,"
            " points_rate_bp = EXCLUDED.points_rate_bp, parent_id = EXCLUDED.parent_id, sort = EXCLUDED.sort,"
            " shown = EXCLUDED.shown, picture = EXCLUDED.picture",
            code,
            body.name,
            body.points_rate_bp,
            body.parent,
            body.sort,
            body.shown,
            body.picture,
        )
        await db.raw(tx).execute(_RENAMED[0].format(column="category_id"), code)
        await service.note(tx, "category", code, staff_id, "put", msgspec.to_builtins(body), clock.now())
    _done("category", code, staff_id)


async def put_brand(code: str, body: BrandIn, staff_id: int) -> None:
    """Add a brand or put it in another's place; its products are found by a new name within a minute."""
    async with db.transaction() as tx:
        await _check_picture(tx, body.picture)
        await _put(
            tx,
            "INSERT INTO mall_brand (code, name, sort, picture) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, sort = EXCLUDED.sort, picture = EXCLUDED.picture",
            code,
            body.name,
            body.sort,
            body.picture,
        )
        for sql in _RENAMED:
            await db.raw(tx).execute(sql.format(column="brand_id"), code)
        await service.note(tx, "brand", code, staff_id, "put", msgspec.to_builtins(body), clock.now())
    _done("brand", code, staff_id)


async def put_supplier_category(code: str, body: SupplierCategoryIn, staff_id: int) -> None:
    """Add a kind of suppliers, or call it otherwise."""
    async with db.transaction() as tx:
        await _put(
            tx,
            "INSERT INTO mall_supplier_category (code, name) VALUES ($1, $2)"
            " ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name",
            code,
            body.name,
        )
        await service.note(tx, "supplier_category", code, staff_id, "put", msgspec.to_builtins(body), clock.now())
    _done("supplier_category", code, staff_id)


async def put_supplier(code: str, body: SupplierIn, staff_id: int) -> None:
    """Add a supplier or put them in another's place. What is written down of the change names no person."""
    async with db.transaction() as tx:
        if body.category is not None and not await db.fetch_in(
            tx, "SELECT 1 FROM mall_supplier_category WHERE code = $1 FOR KEY SHARE", body.category
        ):
            raise invalid("/category", "there is no such category of suppliers")
        await _put(
            tx,
            "INSERT INTO mall_supplier (code, name, category_id, contact, phone, note, active)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name,"
            " category_id = EXCLUDED.category_id, contact = EXCLUDED.contact, phone = EXCLUDED.phone,"
            " note = EXCLUDED.note, active = EXCLUDED.active",
            code,
            body.name,
            body.category,
            body.contact,
            body.phone,
            body.note,
            body.active,
        )
        detail = {"name": body.name, "category": body.category, "active": body.active}
        await service.note(tx, "supplier", code, staff_id, "put", detail, clock.now())
    _done("supplier", code, staff_id)


async def put_attribute(code: str, body: AttributeIn, staff_id: int) -> None:
    """Add an attribute or change it; its kind stays while products have values of it."""
    async with db.transaction() as tx:
        used = await db.fetch_in(
            tx, "SELECT kind FROM mall_attribute WHERE code = $1 AND kind <> $2 FOR UPDATE", code, body.kind.value
        )
        if used and await _has_values(tx, code):
            raise StillInUse("products have values of this attribute; its kind stays")
        await _put(
            tx,
            "INSERT INTO mall_attribute (code, name, kind, choices, filtered, sort) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, kind = EXCLUDED.kind, choices = EXCLUDED.choices,"
            " filtered = EXCLUDED.filtered, sort = EXCLUDED.sort",
            code,
            body.name,
            body.kind.value,
            msgspec.json.encode(body.choices).decode(),
            body.filtered,
            body.sort,
        )
        await service.note(tx, "attribute", code, staff_id, "put", msgspec.to_builtins(body), clock.now())
    _done("attribute", code, staff_id)


_TABLES = {
    "category": "mall_category",
    "brand": "mall_brand",
    "supplier_category": "mall_supplier_category",
    "supplier": "mall_supplier",
    "attribute": "mall_attribute",
}


async def remove(kind: str, code: str, staff_id: int) -> None:
    """Delete what nothing names; ``NotFound`` for none, ``StillInUse`` where something does."""
    try:
        async with db.transaction() as tx:
            if kind == "attribute" and await _has_values(tx, code):
                raise StillInUse("products have values of this attribute")
            rows = await db.fetch_in(tx, f"DELETE FROM {_TABLES[kind]} WHERE code = $1 RETURNING 1", code)  # noqa: S608
            if not rows:
                raise NotFound(f"there is no such {kind.replace('_', ' ')}")
            await service.note(tx, kind, code, staff_id, "remove", {}, clock.now())
    except (asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError) as error:
        raise StillInUse from error
    _done(kind, code, staff_id)


async def _has_values(tx: Tx, code: str) -> bool:
    return bool(await db.fetch_in(tx, "SELECT 1 FROM mall_product WHERE attributes ? $1 LIMIT 1", code))


async def _check_picture(tx: Tx, picture: str | None) -> None:
    if picture is not None and not await db.fetch_in(
        tx, "SELECT 1 FROM mall_media WHERE id = $1 FOR KEY SHARE", picture
    ):
        raise invalid("/picture", "there is no such picture")


async def _put(tx: Tx, sql: str, *values: Any) -> None:
    await db.raw(tx).execute(sql, *values)


def _done(kind: str, code: str, staff_id: int) -> None:
    shown.forget()
    log.info("mall.shelf_changed", kind=kind, ref=code, staff_id=staff_id)
