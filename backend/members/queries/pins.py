"""How a member's PIN stands, and what staff and tills did about it."""

from __future__ import annotations

from backend.kernel import clock, db
from backend.kernel.batching import Batcher

from ..types import PinAct, PinDone, PinStanding, PinState


async def _states(member_ids: list[int]) -> list[PinState | BaseException]:
    rows = await db.fetch(
        "SELECT member_id, initialised_at IS NOT NULL AS to_set FROM member_pin WHERE member_id = ANY($1)", member_ids
    )
    found = {row["member_id"]: PinState.TO_SET if row["to_set"] else PinState.SET for row in rows}
    return [found.get(member_id, PinState.NONE) for member_id in member_ids]


_pins: Batcher[int, PinState] = Batcher(_states, max_size=64, lanes=2)


async def find_pin_state(member_id: int) -> PinState:
    """Whether the member has a payment PIN, or is to set one; concurrent calls share one query."""
    return await _pins.submit(member_id)


async def has_pin(member_id: int) -> bool:
    """Whether what goes beyond the limits takes a PIN, also one that is to be set first."""
    return await find_pin_state(member_id) is not PinState.NONE


async def get_pin_standing(member_id: int) -> PinStanding:
    """How a member's PIN stands, for staff; never what it is."""
    row = await db.fetchrow(
        "SELECT changed_at, locked_until, initialised_at, lower_until, lower_left_fen FROM member_pin"
        " WHERE member_id = $1",
        member_id,
    )
    if row is None:
        return PinStanding(PinState.NONE)
    now = clock.now()
    lowered = row["lower_until"] is not None and row["lower_until"] > now
    locked = row["locked_until"] is not None and row["locked_until"] > now
    return PinStanding(
        PinState.TO_SET if row["initialised_at"] is not None else PinState.SET,
        changed_at=row["changed_at"],
        locked_until=row["locked_until"] if locked else None,
        lower_until=row["lower_until"] if lowered else None,
        lower_left_fen=row["lower_left_fen"] if lowered else None,
    )


async def list_pin_acts(member_id: int, *, limit: int) -> list[PinDone]:
    """What staff and tills did about a member's PIN, newest first."""
    rows = await db.fetch(
        "SELECT at, act, actor, store_id, proof, reason FROM member_pin_act WHERE member_id = $1"
        " ORDER BY at DESC, id LIMIT $2",
        member_id,
        limit,
    )
    return [PinDone(**dict(row) | {"act": PinAct(row["act"])}) for row in rows]
