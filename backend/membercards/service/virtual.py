"""Numbers without plastic: given to whoever has no card, where the chain has a type for it."""

from __future__ import annotations

import secrets

from backend.kernel import ids
from backend.kernel.db import Tx

from .. import locks, queries, rules
from ..types import CardState, Handing
from .issuing import announce, insert_issued
from .states import become

TRIES = 10


async def give_virtual(tx: Tx, member_id: int, by: Handing) -> int | None:
    """Give a member, whom the caller holds, a virtual card; None where they hold a card, or no type gives any.

    A virtual card that was reported lost makes room for another.
    """
    card_type = await queries.find_automatic()
    held = await locks.lock_held(tx, member_id)
    if card_type is None or (held is not None and not (held.virtual and held.state is CardState.LOST)):
        return None
    width = rules.random_digits(card_type.prefix, card_type.length, check_digit=card_type.check_digit)
    card_id = ids.new_bigint()
    if held is not None:
        await become(tx, held, CardState.REPLACED, by, replaced_by=card_id)
    for _ in range(TRIES):
        number = rules.make_number(card_type, secrets.randbelow(10**width))
        if await insert_issued(tx, card_id, member_id, number, card_type, by, virtual=True):
            await announce(tx, member_id, card_id, number, card_type, by, before=held, virtual=True)
            return card_id
    raise RuntimeError("no free card number in ten tries")
