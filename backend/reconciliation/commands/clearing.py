"""Count what purchases took, and refunds gave back, of value that was recharged at one store or another.

A purchase is counted from what its transfers did to lots, as a whole and in the place of what was counted of it before;
so it is counted once, however often it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.ledger import queries as ledger
from backend.ledger.plans import HOUSE_CARD_DEPOSITS
from backend.ledger.types import Document
from backend.membercards.types import TAKEN_BACK
from backend.members import queries as members
from backend.orders.types import OrderState

AT_ONCE = 500
ROUNDS = 200
GIFT = "gift_redemption"
"""The document of a gift that was redeemed, and the transfer that paid for it."""

GIFT_BACK = "gift_back"
"""The transfer that undid it, of the same document."""

KINDS = ("sale", "order", "refund", GIFT, TAKEN_BACK)
"""The documents that take from stored value and give back to it, or give back a deposit that another store took."""

NO_LOT = 0
"""Of a line that is of no lot: a deposit for a member card."""

BACK = "/back"
"""Behind a gift's id: what came back of its money, which is counted, and settled, on its own day."""

HELD = OrderState.AWAITING_PAYMENT

Key = tuple[int, str]
"""A document: its member and its id."""


class Counted(msgspec.Struct, frozen=True):
    """What is counted under a key: a document's transfers, or those of one ``kind``, on its day or (None) on theirs."""

    key: str
    document: Document
    kind: str | None
    day: date | None


_SOURCE = "INSERT INTO clearing_source (member_id, recharge_id, store_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_NOTE = "INSERT INTO clearing_due (member_id, document_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"


async def note_recharge(tx: Tx, member_id: int, recharge_id: str, *, at: str | None = None) -> None:
    """Remember whose customer recharged, once: the store whose till took the money, else the member's own now."""
    found = None if at else await members.find_member(member_id)
    await db.raw(tx).execute(_SOURCE, member_id, recharge_id, found.store_id if found else at)


async def note(tx: Tx, member_id: int, document_id: str) -> None:
    """Note that a purchase or refund is to be counted; a job does it."""
    await db.raw(tx).execute(_NOTE, member_id, document_id)


_DUE = "SELECT member_id, document_id FROM clearing_due ORDER BY member_id, document_id LIMIT $1 FOR UPDATE SKIP LOCKED"
_DONE = f"""
DELETE FROM clearing_due d USING unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, id)
 WHERE d.member_id = w.member_id AND d.document_id = w.id"""  # noqa: S608 - put together of constants


async def count_due() -> int:
    """Count what was noted; returns how many documents it were."""
    counted = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            keys = [(row[0], row[1]) for row in await db.fetch_in(tx, _DUE, AT_ONCE)]
            await _count(tx, (await ledger.find_documents(keys)).values())
            await db.raw(tx).execute(_DONE, *_columns(keys))
        counted += len(keys)
        if len(keys) < AT_ONCE:
            break
    return counted


async def look_back() -> int:
    """Go on counting what was bought before anybody counted, by member and id; returns how many documents it were.

    One place in the database says how far it came, so it is taken up where it was cut short.
    """
    counted = 0
    for _ in range(ROUNDS):
        async with db.transaction() as tx:
            place = await db.fetch_in(
                tx, "SELECT member_id, document_id FROM clearing_backfill WHERE NOT done FOR UPDATE"
            )
            if not place:
                break
            documents = await ledger.list_documents_after(
                KINDS, place[0]["member_id"], place[0]["document_id"], AT_ONCE
            )
            await _count(tx, documents)
            last = documents[-1] if documents else None
            await db.raw(tx).execute(
                "UPDATE clearing_backfill SET member_id = $1, document_id = $2, done = $3",
                *((last.member_id, last.id) if last else (0, "")),
                len(documents) < AT_ONCE,
            )
        counted += len(documents)
        if len(documents) < AT_ONCE:
            break
    return counted


# What is settled stays; what a purchase did to lots never changes, so there is nothing to add to it either.
_CLEAR = f"""
DELETE FROM clearing_line l USING unnest({db.given(1, "bigint")}, {db.given(2, "text")}) AS w (member_id, id)
 WHERE l.member_id = w.member_id AND l.document_id = w.id AND l.settlement_id IS NULL"""  # noqa: S608 - put together of constants

# A lot of a recharge belongs to the store that the recharge was noted for; one from before that was noted, to the
# member's own store now. What came another way (a gift card's value, a merge) is head office's. Bonus that is forfeited
# because a refund brought it back names that refund, and is no part of it: it comes later, or never.
_COUNT = f"""
INSERT INTO clearing_line (member_id, document_id, lot_id, day, from_store, to_store, part, fen)
SELECT w.member_id, w.key, v.lot_id, coalesce(w.day, (t.at AT TIME ZONE $7)::date),
       CASE WHEN s.member_id IS NULL THEN m.store_id ELSE s.store_id END,
       w.store_id, l.part, -sum(v.amount)
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}, {db.given(3, "text")}, {db.given(4, "text")},
              {db.given(5, "date")}, {db.given(6, "text")}) AS w (member_id, key, id, kind, day, store_id)
  JOIN ledger_transfer t ON t.member_id = w.member_id AND t.document_id = w.id AND (w.kind IS NULL OR t.kind = w.kind)
   AND t.kind <> 'bonus_forfeited'
  JOIN ledger_lot_move v ON v.member_id = t.member_id AND v.seq = t.seq
  JOIN ledger_lot l ON l.member_id = v.member_id AND l.lot_id = v.lot_id AND l.kind = 'stored'
  LEFT JOIN clearing_source s ON s.member_id = l.member_id AND s.recharge_id = l.source
  LEFT JOIN member m ON m.id = w.member_id
 GROUP BY w.member_id, w.key, v.lot_id, 4, 5, w.store_id, l.part HAVING sum(v.amount) <> 0
    ON CONFLICT (member_id, document_id, lot_id) DO NOTHING"""  # noqa: S608 - constants


async def _count(tx: Tx, documents: Iterable[Document]) -> None:
    """Bring the lines of these documents to what the books say of them; a day is the chain's."""
    zone = settings().timezone
    # What an order holds until WeChat has paid the rest of it is not spent yet.
    bought = (one for one in documents if one.kind in KINDS and one.state != HELD)
    found = sorted(bought, key=lambda one: (one.member_id, one.id))
    if not found:
        return
    counted = [each for one in found for each in _counted(one, zone)]
    keys = [(one.document.member_id, one.key) for one in counted]
    await db.raw(tx).execute(_CLEAR, *_columns(keys))
    await db.raw(tx).execute(
        _COUNT,
        *_columns(keys),
        [one.document.id for one in counted],
        [one.kind for one in counted],
        [one.day for one in counted],
        [one.document.store_id for one in counted],
        zone,
    )
    backs = [one for one in counted if one.document.kind == TAKEN_BACK]
    if backs:
        await db.raw(tx).execute(
            _DEPOSITS,
            *_columns([(one.document.member_id, one.key) for one in backs]),
            [one.day for one in backs],
            [one.document.store_id for one in backs],
        )


def _counted(document: Document, zone: str) -> list[Counted]:
    """A purchase or refund counts as a whole; of a gift what was paid, and what came back of it, which may be settled
    at different times.
    """
    day = clock.local_date(document.at, zone)
    if document.kind != GIFT:
        return [Counted(document.id, document, None, day)]
    return [
        Counted(document.id, document, GIFT, day),
        Counted(f"{document.id}{BACK}", document, GIFT_BACK, None),
    ]


# A deposit for a member card that another store took than gives it back: that one is owed it.
_DEPOSITS = f"""
INSERT INTO clearing_line (member_id, document_id, lot_id, day, from_store, to_store, part, fen)
SELECT w.member_id, w.id, {NO_LOT}, w.day, e.ref, w.store_id, 'deposit', -sum(e.amount)
  FROM unnest({db.given(1, "bigint")}, {db.given(2, "text")}, {db.given(3, "date")}, {db.given(4, "text")})
       AS w (member_id, id, day, store_id)
  JOIN ledger_transfer t ON t.member_id = w.member_id AND t.document_id = w.id AND t.kind = '{TAKEN_BACK}'
  JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.at = t.at
 WHERE e.kind = '{HOUSE_CARD_DEPOSITS}' AND e.ref <> w.store_id
 GROUP BY w.member_id, w.id, w.day, e.ref, w.store_id
    ON CONFLICT (member_id, document_id, lot_id) DO NOTHING"""  # noqa: S608 - constants


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[str]]:
    return [member_id for member_id, _ in keys], [document_id for _, document_id in keys]
