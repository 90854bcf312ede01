"""The rows that members are found by for their attributes' values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from backend.kernel import db
from backend.kernel.db import Tx

from .. import rules

_DELETE = """
DELETE FROM member_value v USING unnest($1::bigint[], $2::text[]) AS w (member_id, attribute)
 WHERE v.member_id = w.member_id AND v.attribute = w.attribute"""
_INSERT = """
INSERT INTO member_value (member_id, attribute, text, number, joined_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::float8[], $5::timestamptz[])"""

Values = tuple[int, datetime, Mapping[str, Any]]
"""A member, since when there is one, and values by attribute; None for none."""


async def index_values(tx: Tx, members: Iterable[Values]) -> None:
    """Let these members be found by these values, and no more by those that these attributes had; holds the members."""
    gone = [(member_id, code) for member_id, _, values in members for code in values]
    if not gone:
        return
    await db.raw(tx).execute(_DELETE, *(list(column) for column in zip(*gone, strict=True)))
    rows = [
        (member_id, code, text, number, joined_at)
        for member_id, joined_at, values in members
        for code, value in values.items()
        if value is not None
        for text, number in rules.attributes.index_rows(value)
    ]
    if rows:
        await db.raw(tx).execute(_INSERT, *(list(column) for column in zip(*rows, strict=True)))
