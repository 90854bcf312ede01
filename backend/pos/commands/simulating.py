"""What a basket would earn, and by which rules: for a member or anybody of a level, in a store, at a time."""

from __future__ import annotations

from backend.auth import queries as auth
from backend.kernel import clock, ids
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members
from backend.members.types import Card, Status
from backend.points import service as points
from backend.sales.rules import settling
from backend.sales.rules.pricing import price_lines

from ..schemas import SimulatedOut, SimulateIn
from . import pricing


async def simulate(body: SimulateIn) -> SimulatedOut:
    """Price and judge a basket as a till would; nothing is written, and what was added today counts for nothing."""
    at = body.at or clock.now()
    if at.year not in clock.YEARS:
        raise invalid("/at", "is out of range")
    store = await auth.find_store(body.store_id)
    if store is None:
        raise invalid("/store_id", "there is no such store")
    on = clock.local_date(at, store.timezone)
    card = await _card(body)
    earning = await points.earning(card, on, store=store, at=at)
    if body.draft is not None:
        earning = await points.pretended(earning, body.draft)
    price = price_lines(await pricing.rated(body.lines), discount_bp=card.benefit_on(on).discount_bp)
    earned = settling.earned_points(price, (), earning, bonus_fen=0)
    return SimulatedOut(price.payable_fen, earned.points, points.explained(earned, earning.rules))


async def _card(body: SimulateIn) -> Card:
    """The member's card, or that of somebody of the level who was born that day."""
    if body.member_id is not None:
        id_ = ids.read_bigint(body.member_id)
        if id_ is None:
            raise NotFound("there is no such member")
        return await members.get_card(id_)
    levels = await members.levels()
    code = body.level or next(iter(levels))
    if code not in levels:
        raise invalid("/level", "there is no such level")
    return Card(
        member_id=0, member_no="", name_masked="", level=levels[code], status=Status.ACTIVE, birthday=body.birthday
    )
