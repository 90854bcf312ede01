"""Reads of cards, and of what each of them was."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound

from ..types import HELD, Card, CardState, DepositState, IssuerKind, Step, Way

CARD = """
SELECT c.id, c.number, c.type_code, t.name AS type_name, t.colour, c.state, c.virtual, c.batch_id, c.serial,
       c.issuer_id, i.kind AS issuer_kind, i.store_id AS issuer_store, c.member_id, c.bound_at, c.valid_until,
       c.deposit_fen, c.deposit_state, c.deposit_store, c.fee_fen, c.fee_paid, c.replaced_by
  FROM membercard c JOIN membercard_type t ON t.code = c.type_code
  LEFT JOIN membercard_issuer i ON i.id = c.issuer_id"""
_HELD = [state.value for state in HELD]


def card_of(row: db.Record) -> Card:
    """A card from its row."""
    kind = IssuerKind(row["issuer_kind"]) if row["issuer_kind"] else None
    states = {"state": CardState(row["state"]), "deposit_state": DepositState(row["deposit_state"])}
    return Card(**dict(row) | states | {"issuer_kind": kind})


async def find_card(card_id: int) -> Card | None:
    """A card, or None."""
    row = await db.fetchrow(f"{CARD} WHERE c.id = $1", card_id)
    return card_of(row) if row else None


async def get_card(card_id: int) -> Card:
    """A card; ``NotFound`` for none."""
    found = await find_card(card_id)
    if found is None:
        raise NotFound("there is no such member card")
    return found


async def find_by_number(number: str) -> Card | None:
    """The card with that number, or None."""
    row = await db.fetchrow(f"{CARD} WHERE c.number = $1", number)
    return card_of(row) if row else None


async def find_held(member_id: int) -> Card | None:
    """The card that takes the member's one place, in force or reported lost; None for none."""
    row = await db.fetchrow(f"{CARD} WHERE c.member_id = $1 AND c.state IN ('issued', 'lost')", member_id)
    return card_of(row) if row else None


async def find_held_in(tx: Tx, member_id: int) -> Card | None:
    """The same, as the open transaction sees it; its member is held."""
    rows = await db.fetch_in(tx, f"{CARD} WHERE c.member_id = $1 AND c.state IN ('issued', 'lost')", member_id)
    return card_of(rows[0]) if rows else None


_KEPT = f"""{CARD}
 WHERE c.member_id = ANY($1) AND c.deposit_state = 'held' AND c.state IN ('expired', 'void')
 ORDER BY c.bound_at DESC, c.id DESC LIMIT 1"""


async def find_kept(member_ids: Sequence[int], tx: Tx | None = None) -> Card | None:
    """The last card of these (one person's) that ended while its deposit was held, and is held still; None for none."""
    args = (list(member_ids),)
    rows = await db.fetch(_KEPT, *args) if tx is None else await db.fetch_in(tx, _KEPT, *args)
    return card_of(rows[0]) if rows else None


async def list_of_member(member_id: int, *, limit: int) -> list[Card]:
    """Every card that a member ever had, what was issued last first."""
    rows = await db.fetch(f"{CARD} WHERE c.member_id = $1 ORDER BY c.bound_at DESC, c.id LIMIT $2", member_id, limit)
    return [card_of(row) for row in rows]


async def list_cards(
    *, batch_id: str | None, issuer_id: str | None, state: CardState | None, after: int, limit: int
) -> list[Card]:
    """Cards of a batch in the order of their serials from above ``after``, or of an issuer in one state, by id."""
    if batch_id is not None:
        rows = await db.fetch(
            f"{CARD} WHERE c.batch_id = $1 AND c.serial > $2 AND ($3::text IS NULL OR c.issuer_id = $3)"
            " AND ($4::text IS NULL OR c.state = $4) ORDER BY c.serial LIMIT $5",
            batch_id,
            after,
            issuer_id,
            state.value if state else None,
            limit,
        )
    else:
        rows = await db.fetch(
            f"{CARD} WHERE c.issuer_id = $1 AND c.state = $2 AND c.id > $3 ORDER BY c.id LIMIT $4",
            issuer_id,
            (state or CardState.ALLOTTED).value,
            after,
            limit,
        )
    return [card_of(row) for row in rows]


async def list_steps(card_id: int) -> list[Step]:
    """What a card was, oldest first; of more than a hundred steps the last ones."""
    rows = await db.fetch(
        "SELECT n, at, state, way, staff_id, member_id, issuer_id, store_id, reason FROM membercard_step"
        " WHERE card_id = $1 ORDER BY n DESC LIMIT 100",
        card_id,
    )
    rows.reverse()
    return [Step(**dict(row) | {"state": CardState(row["state"]), "way": Way(row["way"])}) for row in rows]


async def numbers_of(member_ids: Sequence[int]) -> dict[int, str]:
    """The numbers of the cards that these members hold, by member; who holds none is absent."""
    rows = await db.fetch(
        "SELECT member_id, number FROM membercard WHERE member_id = ANY($1) AND state = ANY($2)",
        list(member_ids),
        _HELD,
    )
    return {row["member_id"]: row["number"] for row in rows}
