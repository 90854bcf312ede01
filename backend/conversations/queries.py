"""Reads of conversations (public)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.kept import Kept
from backend.kernel.paging import Place
from backend.kernel.signed_pictures import Image, SignedPictures
from backend.kernel.vault import vault

from . import paging
from .types import Act, Author, Canned, Card, Conversation, Kind, Match, Message, Rule, Stage, State, Texts, Windows

OPENID = "conversation.openid"
"""The vault's context of openids and of their digest."""

KEPT_S = 5.0
MOST_RULES, MOST_CANNED = 200, 200
MOST_AHEAD = 999

changes = Changes("conversation_change", "subject")
"""What staff did to rules, texts and canned answers."""

_CONVERSATION = (
    "SELECT id, openid_sealed, member_id, store_id, state, staff_id, wrote_at, wrote_sent, entered_at, entered_sent,"
    " last_seq, unread, last_at, waiting_since, claimed_at, welcomed_at, created_at FROM conversation"
)
BY_ID = f"{_CONVERSATION} WHERE id = $1"
BY_DIGEST = f"{_CONVERSATION} WHERE openid_digest = $1"
_WINDOWS = frozenset(msgspec.structs.fields(Windows)[i].name for i in range(4))

MESSAGE = (
    "SELECT conversation_id, seq, author, kind, stage, at, text, card, media_id, decision, reason, staff_id, once,"
    " request_hash, sent_at FROM conversation_message WHERE conversation_id = $1"
)
_card = msgspec.json.Decoder(Card)
_words = msgspec.json.Decoder(tuple[str, ...])


def openid_digest(openid: str) -> str:
    """What a customer's conversation is found by."""
    return vault().blind_index(openid, context=OPENID)


def seal_openid(openid: str) -> str:
    """An openid as it is kept."""
    return vault().seal(openid.encode(), context=OPENID)


def open_openid(conversation: Conversation) -> str:
    """Whom messages go to."""
    return vault().open(conversation.openid_sealed, context=OPENID).decode()


def conversation_of(row: db.Record) -> Conversation:
    """A row of ``conversation``."""
    fields = dict(row)
    windows = Windows(**{name: fields.pop(name) for name in _WINDOWS})
    return Conversation(**fields | {"state": State(fields["state"]), "windows": windows})


def message_of(row: db.Record) -> Message:
    """A row of ``conversation_message``."""
    fields = dict(row)
    return Message(
        **fields
        | {
            "author": Author(fields["author"]),
            "kind": Kind(fields["kind"]),
            "stage": Stage(fields["stage"]),
            "card": _card.decode(fields["card"]) if fields["card"] else None,
        }
    )


async def find_conversation(conversation_id: int) -> Conversation | None:
    """A conversation, or None."""
    row = await db.fetchrow(BY_ID, conversation_id)
    return conversation_of(row) if row else None


_OF_MEMBER = f"{_CONVERSATION} WHERE member_id = $1 ORDER BY last_at DESC, id DESC LIMIT 1"


async def find_of_member(member_id: int) -> Conversation | None:
    """The conversation that a member had last (two WeChat accounts of one member have two), or None."""
    row = await db.fetchrow(_OF_MEMBER, member_id)
    return conversation_of(row) if row else None


async def find_message(conversation_id: int, seq: int) -> Message | None:
    """One message, or None."""
    row = await db.fetchrow(f"{MESSAGE} AND seq = $2", conversation_id, seq)
    return message_of(row) if row else None


async def find_once(conversation_id: int, once: str) -> Message | None:
    """The message that was written under that word, or None."""
    row = await db.fetchrow(f"{MESSAGE} AND once = $2", conversation_id, once)
    return message_of(row) if row else None


async def list_messages(conversation_id: int, *, before: int | None, after: int, limit: int) -> list[Message]:
    """What was said, newest first: before that number, and above ``after``."""
    rows = await db.fetch(
        f"{MESSAGE} AND ($2::int IS NULL OR seq < $2) AND seq > $3 ORDER BY seq DESC LIMIT $4",
        conversation_id,
        before,
        after,
        limit,
    )
    return [message_of(row) for row in rows]


async def last_messages(conversation_ids: Sequence[int]) -> dict[int, Message]:
    """The last thing that was said in each of these; notes are nothing said."""
    rows = await db.fetch(
        "SELECT m.* FROM unnest($1::bigint[]) AS w (id) CROSS JOIN LATERAL ("
        "SELECT conversation_id, seq, author, kind, stage, at, text, card, media_id, decision, reason, staff_id, once,"
        " request_hash, sent_at FROM conversation_message m WHERE m.conversation_id = w.id"
        " AND m.kind NOT IN ('note', 'entered') ORDER BY seq DESC LIMIT 1) AS m",
        list(conversation_ids),
    )
    return {row["conversation_id"]: message_of(row) for row in rows}


# One text each for a store and for all of them: a plan that is to fit both reads the chain's for a store of three.
_ALL, _STORE = "$1::text IS NULL", "store_id = $1"
_QUEUE = {
    whose: f"{_CONVERSATION} WHERE state = 'waiting' AND {whose}"
    " AND ($2::timestamptz IS NULL OR (waiting_since, id) > ($2, $3)) ORDER BY waiting_since, id LIMIT $4"
    for whose in (_ALL, _STORE)
}
_LISTED = {
    whose: f"{_CONVERSATION} WHERE state = $5 AND ($6::bigint IS NULL OR staff_id = $6) AND {whose}"
    " AND ($2::timestamptz IS NULL OR (last_at, id) < ($2, $3)) ORDER BY last_at DESC, id DESC LIMIT $4"
    for whose in (_ALL, _STORE)
}
_COUNTS = {
    whose: "SELECT (SELECT count(*) FROM (SELECT FROM conversation"  # noqa: S608 - put together of constants
    f" WHERE state = 'waiting' AND {whose} LIMIT 1000) AS w),"
    " (SELECT count(*) FROM (SELECT FROM conversation WHERE state = 'open' AND staff_id = $2 LIMIT 1000) AS m)"
    for whose in (_ALL, _STORE)
}


def _of(store_id: str | None) -> str:
    return _ALL if store_id is None else _STORE


async def list_waiting(store_id: str | None, after: Place | None, limit: int) -> list[Conversation]:
    """The queue of a store's members, or of everybody: who waits longest comes first."""
    at, id_ = after or (None, "0")
    return [conversation_of(row) for row in await db.fetch(_QUEUE[_of(store_id)], store_id, at, int(id_), limit)]


async def list_conversations(
    state: State, store_id: str | None, staff_id: int | None, before: Place | None, limit: int
) -> list[Conversation]:
    """Conversations in a state (of one of the staff), the last one first."""
    at, id_ = before or (None, "0")
    rows = await db.fetch(_LISTED[_of(store_id)], store_id, at, int(id_), limit, state.value, staff_id)
    return [conversation_of(row) for row in rows]


async def count_states(store_id: str | None, staff_id: int) -> tuple[int, int]:
    """How many wait, and how many this person has; each at most 1000."""
    row = await db.fetchrow(_COUNTS[_of(store_id)], store_id, staff_id)
    assert row is not None
    return row[0], row[1]


async def count_ahead(conversation: Conversation) -> int:
    """How many wait longer, at most 999."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM (SELECT FROM conversation WHERE state = 'waiting' AND (waiting_since, id) < ($1, $2)"
        " LIMIT $3) AS ahead",
        conversation.waiting_since,
        conversation.id,
        MOST_AHEAD,
    )
    return count


# -- what the robot and the staff go by

_RULE = "SELECT id, match, words, priority, act, text, card, active FROM conversation_rule"


def _rule(row: db.Record) -> Rule:
    fields = dict(row)
    return Rule(
        **fields
        | {
            "match": Match(fields["match"]),
            "act": Act(fields["act"]),
            "words": _words.decode(fields["words"]),
            "card": _card.decode(fields["card"]) if fields["card"] else None,
        }
    )


async def list_rules() -> list[Rule]:
    """Every rule, the one that wins first."""
    return [_rule(row) for row in await db.fetch(f"{_RULE} ORDER BY priority DESC, id LIMIT $1", MOST_RULES)]


async def find_rule(rule_id: str) -> Rule | None:
    """A rule, or None."""
    row = await db.fetchrow(f"{_RULE} WHERE id = $1", rule_id)
    return _rule(row) if row else None


async def read_texts() -> Texts:
    """What the robot says, as it stands in the database."""
    body: str | None = await db.fetchval("SELECT body FROM conversation_texts")
    return msgspec.json.decode(body, type=Texts) if body else Texts()


_rules = Kept(list_rules, keep_s=KEPT_S)
_texts = Kept(read_texts, keep_s=KEPT_S)


async def rules() -> list[Rule]:
    """Every rule; at most five seconds old."""
    return await _rules.get()


async def texts() -> Texts:
    """What the robot says; at most five seconds old."""
    return await _texts.get()


def forget() -> None:
    """Read rules and texts again at the next question: they were changed here."""
    _rules.forget()
    _texts.forget()


async def list_canned(store_id: str | None, *, every: bool) -> list[Canned]:
    """The canned answers of the chain and of a store, or all of them, in the order to show them."""
    rows = await db.fetch(
        "SELECT id, title, text, store_id, sort FROM conversation_canned"
        " WHERE $2 OR store_id IS NULL OR store_id = $1 ORDER BY sort, title, id LIMIT $3",
        store_id,
        every,
        MOST_CANNED,
    )
    return [Canned(**dict(row)) for row in rows]


# -- pictures

PICTURES = SignedPictures("/v1/conversation-pictures", "conversation picture")


def picture_address(conversation_id: int, seq: int) -> tuple[str, str]:
    """Where a picture is for the next hour or two, and a small one; for nobody who may not see the conversation."""
    return PICTURES.address(f"{conversation_id}-{seq}")


async def find_picture(picture_id: str, small: bool) -> Image | None:
    """A picture's bytes in the size that is asked for; None for none."""
    named = paging.read_picture(picture_id)
    if named is None:
        return None
    column = "small" if small else "large"
    row = await db.fetchrow(
        f"SELECT kind, {column} FROM conversation_picture WHERE conversation_id = $1 AND seq = $2",  # noqa: S608
        *named,
    )
    return (row[0], row[1]) if row else None


async def list_stuck(stage: Stage, before: datetime, limit: int) -> list[Message]:
    """Messages that are being sent, or fetched, since before that instant, the oldest first."""
    rows = await db.fetch(
        "SELECT conversation_id, seq, author, kind, stage, at, text, card, media_id, decision, reason, staff_id, once,"
        " request_hash, sent_at FROM conversation_message WHERE stage IN ('sending', 'fetching') AND stage = $1"
        " AND at < $2 ORDER BY at LIMIT $3",
        stage.value,
        before,
        limit,
    )
    return [message_of(row) for row in rows]
