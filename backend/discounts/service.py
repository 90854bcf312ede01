"""What a till asks (public): what stores and brands give on a basket. Mostly without a read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.auth.types import Store
from backend.kernel import clock
from backend.members.types import Card
from backend.points.types import Occasion
from backend.sales.types import Line, LineOffer

from . import queries, rules


async def offers(card: Card, lines: Sequence[Line], *, store: Store, at: datetime) -> tuple[tuple[LineOffer, ...], ...]:
    """For each line the offers that compete, at a till of the store at that instant; nothing where none holds."""
    living = await queries.living()
    if not living:
        return ()
    here = Occasion(
        level=card.level.code,
        multiplier_bp=0,
        per_yuan_bp=0,
        most_times_bp=0,
        birthday=card.birthday,
        store_id=store.id,
        at=at.astimezone(clock.zone(store.timezone)),
    )
    return rules.offers(living, lines, here)


async def titles() -> dict[str, str]:
    """What the living rules are called, by their reference."""
    return {rule.reference: rule.title for rule in await queries.living()}
