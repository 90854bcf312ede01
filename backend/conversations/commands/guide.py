"""What the robot and the staff go by: rules, texts, canned answers. Every change is written down with who made it."""

from __future__ import annotations

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import Forbidden, NotFound, invalid

from .. import queries
from ..queries import MOST_CANNED, MOST_RULES
from ..rules import words
from ..schemas import CannedIn, RuleIn, TextsBody
from ..types import Act

RULES, TEXTS, CANNED = "rules", "texts", "canned"
"""What a change was made to."""

_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('conversation guide', 0))"


async def put_rule(rule_id: str | None, body: RuleIn, staff_id: int) -> str:
    """Add a rule (no id), or put another in its place; the robot goes by it within seconds."""
    _check_rule(body)
    new = rule_id is None
    id_, now = rule_id or ids.new_short("A"), clock.now()
    async with db.transaction() as tx:
        await _hold(tx, "conversation_rule", id_, new=new, most=MOST_RULES)
        await db.raw(tx).execute(
            "INSERT INTO conversation_rule"
            " (id, match, words, priority, act, text, card, active, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT (id) DO UPDATE SET match = EXCLUDED.match,"
            " words = EXCLUDED.words, priority = EXCLUDED.priority, act = EXCLUDED.act, text = EXCLUDED.text,"
            " card = EXCLUDED.card, active = EXCLUDED.active, updated_at = EXCLUDED.updated_at",
            id_,
            body.match.value,
            msgspec.json.encode(body.words).decode(),
            body.priority,
            body.act.value,
            body.text,
            msgspec.json.encode(body.card).decode() if body.card else None,
            body.active,
            now,
        )
        detail = msgspec.to_builtins(body) | {"id": id_}
        await queries.changes.note(tx, RULES, staff_id, "add" if new else "change", detail, now)
    queries.forget()
    return id_


def _check_rule(body: RuleIn) -> None:
    for number, word in enumerate(body.words):
        if not words.normal(word):
            raise invalid(f"/words/{number}", "is nothing but punctuation, which is not compared")
    _check_said({"text": body.text})
    if body.act is Act.SAY and not body.text and body.card is None:
        raise invalid("/text", "a rule that says something needs a text or a card")
    if body.act is Act.WECHAT and (body.text or body.card is not None):
        raise invalid("/text", "what WeChat's own service takes over is not answered here")


def _check_said(texts: dict[str, str]) -> None:
    """Refuse a text of nothing but space: WeChat takes no empty message."""
    for name, text in texts.items():
        if text and not text.strip():
            raise invalid(f"/{name}", "says nothing")


async def remove_rule(rule_id: str, staff_id: int) -> None:
    """Forget a rule."""
    async with db.transaction() as tx:
        if not await db.fetch_in(tx, "DELETE FROM conversation_rule WHERE id = $1 RETURNING 1", rule_id):
            raise NotFound("there is no such rule")
        await queries.changes.note(tx, RULES, staff_id, "remove", {"id": rule_id}, clock.now())
    queries.forget()


async def put_texts(body: TextsBody, staff_id: int) -> None:
    """Say this from now on."""
    _check_said(msgspec.to_builtins(body))
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO conversation_texts (body) VALUES ($1) ON CONFLICT (one) DO UPDATE SET body = EXCLUDED.body",
            msgspec.json.encode(body).decode(),
        )
        await queries.changes.note(tx, TEXTS, staff_id, "change", msgspec.to_builtins(body), clock.now())
    queries.forget()


async def put_canned(canned_id: str | None, body: CannedIn, caller: StaffCaller) -> str:
    """Add a canned answer (no id), or put another in its place; a manager those of the own store."""
    if not _may(caller, body.store_id):
        raise Forbidden("the chain's answers are head office's to write")
    _check_said({"text": body.text})
    new = canned_id is None
    id_, now = canned_id or ids.new_short("C"), clock.now()
    async with db.transaction() as tx:
        await _hold(tx, "conversation_canned", id_, new=new, most=MOST_CANNED)
        if not new:
            await _check_own(tx, id_, caller)
        await db.raw(tx).execute(
            "INSERT INTO conversation_canned (id, title, text, store_id, sort, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, text = EXCLUDED.text,"
            " store_id = EXCLUDED.store_id, sort = EXCLUDED.sort, updated_at = EXCLUDED.updated_at",
            id_,
            body.title,
            body.text,
            body.store_id,
            body.sort,
            now,
        )
        detail = msgspec.to_builtins(body) | {"id": id_}
        await queries.changes.note(tx, CANNED, caller.staff_id, "add" if new else "change", detail, now)
    return id_


async def remove_canned(canned_id: str, caller: StaffCaller) -> None:
    """Forget a canned answer."""
    async with db.transaction() as tx:
        await _check_own(tx, canned_id, caller)
        await db.raw(tx).execute("DELETE FROM conversation_canned WHERE id = $1", canned_id)
        await queries.changes.note(tx, CANNED, caller.staff_id, "remove", {"id": canned_id}, clock.now())


async def _check_own(tx: Tx, canned_id: str, caller: StaffCaller) -> None:
    rows = await db.fetch_in(tx, "SELECT store_id FROM conversation_canned WHERE id = $1 FOR UPDATE", canned_id)
    if not rows or not _may(caller, rows[0]["store_id"]):
        raise NotFound("there is no such entry")


def _may(caller: StaffCaller, store_id: str | None) -> bool:
    return caller.reaches(store_id)


async def _hold(tx: Tx, table: str, id_: str, *, new: bool, most: int) -> None:
    """One change at a time; there is room for what is new, and what is changed is there."""
    await db.raw(tx).execute(_ALONE)
    if new:
        (row,) = await db.fetch_in(tx, f"SELECT count(*) FROM {table}")  # noqa: S608 - a name of ours
        if row[0] >= most:
            raise invalid("", f"there are {most} of them; remove one")
    elif not await db.fetch_in(tx, f"SELECT 1 FROM {table} WHERE id = $1", id_):  # noqa: S608
        raise NotFound("there is no such entry")
