"""Reads of what members agreed to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx

from .. import rules
from ..types import Channel, Consent, ConsentChange, Purpose

Word = tuple[int, str, str]
"""A member, a channel and a purpose."""


async def refused_in(tx: Tx, wanted: Iterable[tuple[int, Channel, Purpose]]) -> set[Word]:
    """Those of these (member, channel, purpose) that a letter must not be sent for, as it stands in a transaction."""
    asked = sorted({(member_id, channel.value, purpose.value) for member_id, channel, purpose in wanted})
    rows = await db.fetch_in(
        tx,
        "SELECT c.member_id, c.channel, c.purpose, c.granted FROM message_consent c"
        " JOIN unnest($1::bigint[], $2::text[], $3::text[]) AS w (m, c, p)"
        " ON c.member_id = w.m AND c.channel = w.c AND c.purpose = w.p",
        [word[0] for word in asked],
        [word[1] for word in asked],
        [word[2] for word in asked],
    )
    said = {(row["member_id"], row["channel"], row["purpose"]): row["granted"] for row in rows}
    return {word for word in asked if not said.get(word, not rules.needs_consent(Purpose(word[2])))}


async def list_consents(member_id: int) -> list[Consent]:
    """What a member agreed to: every channel and purpose; those never spoken of as they hold without a word."""
    rows = await db.fetch("SELECT channel, purpose, granted, at FROM message_consent WHERE member_id = $1", member_id)
    said = {(row["channel"], row["purpose"]): (row["granted"], row["at"]) for row in rows}
    return [
        Consent(channel, purpose, *said.get((channel, purpose), (not rules.needs_consent(purpose), None)))
        for purpose in Purpose
        for channel in Channel
    ]


async def list_consent_changes(
    member_id: int, *, before: tuple[datetime, int] | None, limit: int
) -> list[ConsentChange]:
    """What a member agreed to and took back, newest first, from below ``before``."""
    rows = await db.fetch(
        "SELECT id, channel, purpose, granted, by, at FROM message_consent_change WHERE member_id = $1"
        " AND ($2::timestamptz IS NULL OR (at, id) < ($2, $3::bigint)) ORDER BY at DESC, id DESC LIMIT $4",
        member_id,
        *(before or (None, None)),
        limit,
    )
    return [
        ConsentChange(row["id"], Channel(row["channel"]), Purpose(row["purpose"]), row["granted"], row["by"], row["at"])
        for row in rows
    ]
