"""Writes that take an open transaction and the conversation's lock (public)."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from backend.kernel import db, ids
from backend.kernel.db import Tx

from . import locks, queries
from .types import Author, Card, Conversation, Kind, Message, Stage, State, Windows

MOST_TEXT = 4000
"""Characters of a text that are kept; WeChat takes some 600."""

STUCK_AFTER = timedelta(minutes=1)
"""A call to WeChat takes seconds: what is under way for longer was cut short."""


async def open_of(tx: Tx, openid: str, now: datetime) -> Conversation:
    """The conversation of a WeChat account, made at its first word; locked."""
    digest = queries.openid_digest(openid)
    found = await locks.lock_by_digest(tx, digest)
    if found is None:
        await db.raw(tx).execute(
            "INSERT INTO conversation (id, openid_digest, openid_sealed, state, last_at, created_at)"
            " VALUES ($1, $2, $3, 'robot', $4, $4) ON CONFLICT (openid_digest) DO NOTHING",
            ids.new_bigint(),
            digest,
            queries.seal_openid(openid),
            now,
        )
        found = await locks.lock_by_digest(tx, digest)
        assert found is not None
    return found


async def keep(tx: Tx, conversation: Conversation) -> Conversation:
    """Store how a locked conversation stands now."""
    windows = conversation.windows
    await db.raw(tx).execute(
        "UPDATE conversation SET member_id = $2, store_id = $3, state = $4, staff_id = $5, wrote_at = $6,"
        " wrote_sent = $7, entered_at = $8, entered_sent = $9, last_seq = $10, unread = $11, last_at = $12,"
        " waiting_since = $13, claimed_at = $14, welcomed_at = $15 WHERE id = $1",
        conversation.id,
        conversation.member_id,
        conversation.store_id,
        conversation.state.value,
        conversation.staff_id,
        windows.wrote_at,
        windows.wrote_sent,
        windows.entered_at,
        windows.entered_sent,
        conversation.last_seq,
        conversation.unread,
        conversation.last_at,
        conversation.waiting_since,
        conversation.claimed_at,
        conversation.welcomed_at,
    )
    return conversation


async def find_once(tx: Tx, conversation_id: int, once: str) -> Message | None:
    """The message that was written under that word before, or None."""
    rows = await db.fetch_in(tx, f"{queries.MESSAGE} AND once = $2", conversation_id, once)
    return queries.message_of(rows[0]) if rows else None


async def append(
    tx: Tx,
    conversation: Conversation,
    author: Author,
    kind: Kind,
    stage: Stage,
    now: datetime,
    *,
    text: str = "",
    card: Card | None = None,
    media_id: str = "",
    decision: str = "",
    staff_id: int | None = None,
    once: str | None = None,
    request_hash: bytes | None = None,
) -> tuple[Conversation, Message]:
    """Write down what was said or happened next in a locked conversation; ``keep`` stores what it returns."""
    message = Message(
        conversation_id=conversation.id,
        seq=conversation.last_seq + 1,
        author=author,
        kind=kind,
        stage=stage,
        at=now,
        text=text[:MOST_TEXT],
        card=card,
        media_id=media_id,
        decision=decision,
        staff_id=staff_id,
        once=once,
        request_hash=request_hash,
    )
    await db.raw(tx).execute(
        "INSERT INTO conversation_message (conversation_id, seq, author, kind, stage, at, text, card, media_id,"
        " decision, staff_id, once, request_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        message.conversation_id,
        message.seq,
        author.value,
        kind.value,
        stage.value,
        now,
        message.text,
        msgspec.json.encode(card).decode() if card else None,
        media_id,
        decision,
        staff_id,
        once,
        request_hash,
    )
    return msgspec.structs.replace(conversation, last_seq=message.seq, last_at=now), message


async def set_stage(
    tx: Tx,
    conversation_id: int,
    seq: int,
    stage: Stage,
    *,
    was: Stage,
    reason: str = "",
    sent_at: datetime | None = None,
) -> bool:
    """Move a message on from where it was; False where somebody else has."""
    done = await db.fetch_in(
        tx,
        "UPDATE conversation_message SET stage = $3, reason = $5, sent_at = $6"
        " WHERE conversation_id = $1 AND seq = $2 AND stage = $4 RETURNING 1",
        conversation_id,
        seq,
        stage.value,
        was.value,
        reason,
        sent_at,
    )
    return bool(done)


def moved(conversation: Conversation, state: State, now: datetime, *, staff_id: int | None = None) -> Conversation:
    """The conversation as it stands in another state; waiting again does not begin anew."""
    waits = state is State.WAITING
    return msgspec.structs.replace(
        conversation,
        state=state,
        staff_id=staff_id,
        waiting_since=(conversation.waiting_since or now) if waits else None,
        claimed_at=now if state is State.OPEN else None,
    )


def counted(conversation: Conversation, windows: Windows) -> Conversation:
    """The conversation with other windows."""
    return msgspec.structs.replace(conversation, windows=windows)


async def set_member(tx: Tx, openid: str, member_id: int, store_id: str | None) -> None:
    """Give the conversation of a WeChat account, if there is one, to the member whom it is bound to."""
    await db.raw(tx).execute(
        "UPDATE conversation SET member_id = $2, store_id = $3 WHERE openid_digest = $1",
        queries.openid_digest(openid),
        member_id,
        store_id,
    )


async def set_store(tx: Tx, member_id: int, store_id: str | None) -> None:
    """Give a member's conversations to the staff of the store that is the member's home now."""
    await db.raw(tx).execute("UPDATE conversation SET store_id = $2 WHERE member_id = $1", member_id, store_id)


async def count_sent(tx: Tx, conversation_id: int, since: datetime) -> int:
    """How many of our messages reached WeChat since then, or may have: those under way and of unknown end count too.

    Of the conversation's last hundred: no window has room for so many.
    """
    rows = await db.fetch_in(
        tx,
        "SELECT count(*) FROM (SELECT author, stage, at, sent_at FROM conversation_message WHERE conversation_id = $1"
        " ORDER BY seq DESC LIMIT 100) AS m WHERE author IN ('robot', 'staff') AND (stage = 'sending'"
        " OR stage = 'sent' AND sent_at >= $2 OR stage = 'unknown' AND at >= $2 - $3::interval)",
        conversation_id,
        since,
        STUCK_AFTER,
    )
    count: int = rows[0][0]
    return count
