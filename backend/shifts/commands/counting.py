"""What tills did becomes entries: from the sales' events, and from those that nobody has handled yet.

A sale's own transaction knows nothing of shifts. Its event is noted by the relay, and a document is read for each note:
by a job, and before anybody looks at a till.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from backend.giftcards.events import GiftCardSold
from backend.gifts.events import GiftPickedUp
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.events import Recharged, RechargeReversed, SaleCompleted, SaleRefunded
from backend.ledger.types import Document
from backend.membercards.events import MemberCardPaid
from backend.membercards.types import DOCUMENT_PREFIX as MEMBER_CARD_PREFIX

from ..errors import BooksBehind
from ..types import Entry, EntryKind

AT_ONCE = 500
ROUNDS = 200
MOST_PENDING = 20_000
"""Events that are looked through before a till is closed; more than that wait only where the worker stands still."""

PREFIXES = {
    EntryKind.SALE: "S",
    EntryKind.REFUND: "F",
    EntryKind.RECHARGE: "R",
    EntryKind.RECHARGE_REVERSAL: "B",
    EntryKind.GIFT_CARD: "V",
    EntryKind.GIFT_CARD_UNDONE: "V",
    EntryKind.GIFT: "J",
    EntryKind.MEMBER_CARD: MEMBER_CARD_PREFIX,
    EntryKind.MEMBER_CARD_BACK: MEMBER_CARD_PREFIX,
}
"""By kind: how its documents' ids begin. Notes of other kinds are left to the later release that wrote them."""
UNDONE = "/undone"
UNNAMED = "unnamed"
"""The tender of a gift card of which the till did not say how it was paid."""

_INSERT = """
INSERT INTO shift_entry (source_id, kind, store_id, terminal_id, cashier, at, fen, discount_fen, bonus_fen, by_tender)
SELECT e.source_id, e.kind, e.store_id, e.terminal_id, e.cashier, e.at, e.fen, e.discount_fen, e.bonus_fen, e.by_tender
  FROM jsonb_to_recordset($1::text::jsonb) AS e (source_id text, kind text, store_id text, terminal_id text,
       cashier text, at timestamptz, fen bigint, discount_fen bigint, bonus_fen bigint, by_tender jsonb)
  JOIN shift_terminal t ON t.terminal_id = e.terminal_id AND t.since <= e.at
 ORDER BY e.source_id
ON CONFLICT (source_id) DO NOTHING"""
_IDS = {
    SaleCompleted.__name__: ("sale_id", EntryKind.SALE),
    SaleRefunded.__name__: ("refund_id", EntryKind.REFUND),
    Recharged.__name__: ("recharge_id", EntryKind.RECHARGE),
    RechargeReversed.__name__: ("reversal_id", EntryKind.RECHARGE_REVERSAL),
    GiftPickedUp.__name__: ("redemption_id", EntryKind.GIFT),
}
"""By event: which of its fields is the document that says what a till did."""


async def note(tx: Tx, source_id: str, kind: EntryKind, store_id: str | None) -> None:
    """Note that a till did something, where a till of that store (None: of any) ever had a shift."""
    await db.raw(tx).execute(
        "INSERT INTO shift_due (source_id, kind, at) SELECT $1, $2, $3"
        " WHERE EXISTS (SELECT FROM shift_terminal WHERE $4::text IS NULL OR store_id = $4) ON CONFLICT DO NOTHING",
        source_id,
        kind.value,
        clock.now(),
        store_id,
    )


async def add(tx: Tx, entries: Iterable[Entry]) -> None:
    """Enter what tills did, each once; what it did before its first shift is left out."""
    await db.raw(tx).execute(_INSERT, msgspec.json.encode(list(entries)).decode())


async def count_due() -> int:
    """Make entries of what was noted; returns how many notes it were. Several at once do each other no harm."""
    done = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            rows = await db.fetch_in(
                tx,
                "SELECT source_id, kind FROM shift_due WHERE kind = ANY($2::text[]) ORDER BY source_id LIMIT $1"
                " FOR UPDATE SKIP LOCKED",
                AT_ONCE,
                [*PREFIXES],
            )
            await _enter(tx, [(row["source_id"], EntryKind(row["kind"])) for row in rows])
            await db.raw(tx).execute(
                "DELETE FROM shift_due WHERE source_id = ANY($1::text[])", [row["source_id"] for row in rows]
            )
        done += len(rows)
        if len(rows) < AT_ONCE:
            break
    return done


async def catch_up(tx: Tx, terminal_id: str) -> None:
    """Make entries of everything that was done at this terminal by now, whether or not its event was handled.

    Events first, then notes: what the relay moves from the one to the other meanwhile is seen twice, and never missed.
    Raises ``BooksBehind`` where more events wait than can be looked through.
    """
    pending = await db.fetch_in(
        tx,
        "SELECT name, body::text AS body FROM outbox WHERE name = ANY($1::text[]) LIMIT $2",
        [*_IDS, GiftCardSold.__name__, MemberCardPaid.__name__],
        MOST_PENDING + 1,
    )
    if len(pending) > MOST_PENDING:
        raise BooksBehind(retry_after_s=30)
    wanted = [_told(row["name"], msgspec.json.decode(row["body"])) for row in pending]
    noted = await db.fetch_in(
        tx, "SELECT source_id, kind FROM shift_due WHERE kind = ANY($2::text[]) LIMIT $1", MOST_PENDING + 1, [*PREFIXES]
    )
    if len(noted) > MOST_PENDING:
        raise BooksBehind(retry_after_s=30)
    wanted += [(row["source_id"], EntryKind(row["kind"])) for row in noted]
    wanted.sort()  # as the job goes: crosswise both would wait for each other's entries
    for start in range(0, len(wanted), AT_ONCE):
        await _enter(tx, wanted[start : start + AT_ONCE], terminal_id)


def source_of(document_id: str, kind: EntryKind) -> str:
    """What an entry is told apart by: the document; a card that was sold and taken back is two of one."""
    return f"{document_id}{UNDONE}" if kind is EntryKind.GIFT_CARD_UNDONE else document_id


def _told(name: str, body: dict[str, Any]) -> tuple[str, EntryKind]:
    if name == GiftCardSold.__name__:
        kind = EntryKind.GIFT_CARD_UNDONE if body.get("undone") else EntryKind.GIFT_CARD
        return source_of(body["activation_id"], kind), kind
    if name == MemberCardPaid.__name__:
        return body["document_id"], EntryKind.MEMBER_CARD_BACK if body.get("back") else EntryKind.MEMBER_CARD
    field, kind = _IDS[name]
    return body[field], kind


async def _enter(tx: Tx, wanted: list[tuple[str, EntryKind]], terminal_id: str | None = None) -> None:
    named = [(source_id.removesuffix(UNDONE), kind) for source_id, kind in wanted]
    keys = [(ids.member_of(document_id, PREFIXES[kind]), document_id) for document_id, kind in named]
    found = await ledger.find_documents({(holder, document_id) for holder, document_id in keys if holder})
    entries = [entry_of(found[document_id], kind) for document_id, kind in named if document_id in found]
    await add(tx, [one for one in entries if one is not None and terminal_id in (None, one.terminal_id)])


def entry_of(document: Document, kind: EntryKind) -> Entry | None:
    """What a document says that a till did; None for what no till did."""
    body, memo = document.body, document.memo
    said = {EntryKind.REFUND: memo, EntryKind.GIFT: document.progress}.get(kind, body)
    terminal_id = said.get("terminal_id")
    if not terminal_id or document.store_id is None:
        return None
    if kind is EntryKind.REFUND:
        tenders: dict[str, int] = {}
        for tender in body["by_tender"]:
            tenders[tender["type"]] = tenders.get(tender["type"], 0) + tender["amount_fen"]
        return _entry(document, kind, terminal_id, document.at, fen=body["refund_fen"], by_tender=tenders)
    if kind is EntryKind.GIFT:
        return _entry(document, kind, terminal_id, datetime.fromisoformat(said["handed_at"]), fen=body["pay_fen"])
    if kind in (EntryKind.GIFT_CARD, EntryKind.GIFT_CARD_UNDONE):
        at = document.at if kind is EntryKind.GIFT_CARD else document.updated_at
        fen = body["amount_fen"]
        return _entry(document, kind, terminal_id, at, fen=fen, by_tender={body.get("tender") or UNNAMED: fen})
    if kind in (EntryKind.MEMBER_CARD, EntryKind.MEMBER_CARD_BACK):
        fen = body.get("deposit_fen", 0) + body.get("fee_fen", 0)
        return _entry(document, kind, terminal_id, document.at, fen=fen, by_tender={body["tender"]: fen})
    if kind in (EntryKind.RECHARGE, EntryKind.RECHARGE_REVERSAL):
        fen, bonus = body["pay_fen"], document.progress.get("bonus_fen") or body["bonus_fen"]
        paid = {body["tender"] or "cash": fen}
        return _entry(document, kind, terminal_id, document.at, fen=fen, bonus_fen=bonus, by_tender=paid)
    # A sale that waited for the phone counts when it was paid for.
    at = datetime.fromisoformat(body["waits_until"]) if body.get("waits_until") else document.at
    return _entry(
        document,
        kind,
        terminal_id,
        min(at, document.updated_at),
        fen=body["payable_fen"],
        discount_fen=body["discount_fen"],
        by_tender=body["paid"],
    )


def _entry(document: Document, kind: EntryKind, terminal_id: str, at: datetime, **figures: Any) -> Entry:
    return Entry(
        source_id=source_of(document.id, kind),
        kind=kind,
        store_id=document.store_id or "",
        terminal_id=terminal_id,
        cashier=document.memo.get("cashier"),
        at=at,
        **figures,
    )
