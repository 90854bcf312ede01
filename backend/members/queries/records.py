"""Members as other systems of the chain take them over: whole, page by page."""

from __future__ import annotations

from typing import Any

import msgspec

from backend.kernel import db

from .. import telling
from .people import open_phone

_PAGE = (
    "SELECT id, member_no, name, phone_sealed, birthday, gender, store_id, level_id, status, stage, attributes,"
    " created_at, valid_from, valid_until, card_type,"
    " merged_into FROM member WHERE id > $1 ORDER BY id LIMIT $2"
)


class MemberRecord(msgspec.Struct, frozen=True):
    """One member with everything that its row says, by field; personal data in the clear."""

    id: int
    member_no: str
    fields: dict[str, Any]


async def list_records(after: int, limit: int) -> list[MemberRecord]:
    """The members with the ids that follow, whatever their status; with the fields that other domains keep."""
    rows = await db.fetch(_PAGE, after, limit)
    member_ids = [row["id"] for row in rows]
    kept = {field: await reader(member_ids) for field, reader in telling.readers().items()} if rows else {}
    return [_record(row, {field: values.get(row["id"]) for field, values in kept.items()}) for row in rows]


def _record(row: db.Record, kept: dict[str, str | None]) -> MemberRecord:
    fields = kept | {
        "name": row["name"],
        "phone": open_phone(row["phone_sealed"]) or None,
        "birthday": row["birthday"],
        "gender": row["gender"],
        "store_id": row["store_id"],
        "status": row["status"],
        "level": row["level_id"],
        "stage": row["stage"],
        "registered_at": row["created_at"],
        "valid_from": row["valid_from"],
        "valid_until": row["valid_until"],
        "card_type": row["card_type"],
        "merged_into": None if row["merged_into"] is None else str(row["merged_into"]),
    }
    own = msgspec.json.decode(row["attributes"])
    return MemberRecord(
        row["id"], row["member_no"], fields | {f"attributes.{code}": value for code, value in own.items()}
    )
