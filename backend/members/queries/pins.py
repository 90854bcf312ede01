"""Whether there is a PIN."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.batching import Batcher


async def _with_pins(member_ids: list[int]) -> list[bool | BaseException]:
    rows = await db.fetch("SELECT member_id FROM member_pin WHERE member_id = ANY($1)", member_ids)
    found = {row["member_id"] for row in rows}
    return [member_id in found for member_id in member_ids]


_pins: Batcher[int, bool] = Batcher(_with_pins, max_size=64, lanes=2)


async def has_pin(member_id: int) -> bool:
    """Whether the member has set a payment PIN; concurrent calls share one query."""
    return await _pins.submit(member_id)
