"""Reads of a member's letters as staff see them: with what became of each, and what was written back."""

from __future__ import annotations

from collections import defaultdict

from backend.kernel import db
from backend.kernel.paging import Place

from ..types import Channel, Delivery, Purpose, SentLetter, State


async def list_letters(member_id: int, *, before: Place | None, limit: int) -> list[SentLetter]:
    """Every letter that was written to a member, newest first, from below ``before``; shown, sent or neither."""
    rows = await db.fetch(
        "SELECT id, template, version, purpose, title, body, link, batch_id, at, send_at, read_at,"
        " (SELECT count(*) FROM message_reply r WHERE r.member_id = l.member_id AND r.letter_id = l.id) AS replies"
        " FROM message_letter l WHERE member_id = $1 AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::text))"
        " ORDER BY at DESC, id DESC LIMIT $4",
        member_id,
        *(before or (None, None)),
        limit,
    )
    deliveries = await _deliveries(member_id, [row["id"] for row in rows])
    return [
        SentLetter(**dict(row) | {"purpose": Purpose(row["purpose"])}, deliveries=tuple(deliveries[row["id"]]))
        for row in rows
    ]


async def _deliveries(member_id: int, letter_ids: list[str]) -> dict[str, list[Delivery]]:
    found: dict[str, list[Delivery]] = defaultdict(list)
    for row in await db.fetch(
        "SELECT letter_id, channel, state, reason, attempts, next_at, sent_at, opened_at, clicked_at"
        " FROM message_delivery WHERE member_id = $1 AND letter_id = ANY($2) ORDER BY letter_id, channel",
        member_id,
        letter_ids,
    ):
        fields = dict(row) | {"channel": Channel(row["channel"]), "state": State(row["state"])}
        found[fields.pop("letter_id")].append(Delivery(**fields))
    return found
