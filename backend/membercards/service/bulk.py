"""Many cards at once: moved from one state to another, or looked at before an import."""

from __future__ import annotations

from collections.abc import Sequence

from backend.kernel import clock, db
from backend.kernel.db import Tx

from .. import queries, rules
from ..types import CardState, CardType, Handing

# In the order of ids, as every lock of cards is taken.
_MOVE = """
WITH run AS (
    SELECT id FROM membercard WHERE batch_id = $1 AND serial BETWEEN $2 AND $3 AND state = ANY($4::text[])
       AND ($5::text IS NULL OR issuer_id = $5) ORDER BY id FOR UPDATE
), moved AS (
    UPDATE membercard c SET state = $6, issuer_id = $7, steps = steps + 1 FROM run WHERE c.id = run.id
    RETURNING c.id, c.steps, c.issuer_id
)
INSERT INTO membercard_step (card_id, n, at, state, way, staff_id, issuer_id, reason)
SELECT id, steps, $8, $6, $9, $10, issuer_id, $11 FROM moved"""
_VOID = _MOVE.replace("state = $6, issuer_id = $7,", "state = $6, issuer_id = coalesce($7::text, issuer_id),")


async def become_many(
    tx: Tx,
    batch_id: str,
    first: int,
    last: int,
    *,
    state: CardState,
    sources: Sequence[CardState],
    of: str | None,
    issuer_id: str | None,
    by: Handing,
) -> int:
    """Let the cards of a run that are in one of these states (and ``of`` that issuer) get into another; how many."""
    sql = _VOID if state is CardState.VOID else _MOVE
    status = await db.raw(tx).execute(
        sql,
        batch_id,
        first,
        last,
        [one.value for one in sources],
        of,
        state.value,
        issuer_id,
        clock.now(),
        by.way.value,
        by.staff_id,
        by.reason,
    )
    return int(status.rpartition(" ")[2])


async def adopt_obstacles(card_nos: Sequence[str]) -> dict[str, str]:
    """Which of these numbers an import cannot give, with the code of the refusal; what it can give is absent."""
    types = await queries.types()
    rows = await db.fetch("SELECT number, state FROM membercard WHERE number = ANY($1)", list(card_nos))
    states = {row["number"]: CardState(row["state"]) for row in rows}
    found = {number: _obstacle(number, states.get(number), rules.type_of(number, types)) for number in card_nos}
    return {number: code for number, code in found.items() if code is not None}


def _obstacle(number: str, state: CardState | None, card_type: CardType | None) -> str | None:
    if card_type is None:
        return "card_invalid"
    if not card_type.active:
        return "card_type_closed"
    if state in (CardState.ISSUED, CardState.LOST):
        return "card_taken"
    return None if state in (None, CardState.PRINTED, CardState.ALLOTTED) else "card_ended"
