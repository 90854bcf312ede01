"""Reads of what members agreed to."""

from __future__ import annotations

from collections.abc import Iterable

from backend.kernel import db
from backend.kernel.db import Tx

from .. import rules
from ..types import Channel, Purpose

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
