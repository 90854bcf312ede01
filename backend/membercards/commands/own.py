"""What members do with their own card on the phone."""

from __future__ import annotations

from backend.kernel import db, limits
from backend.kernel.errors import NotFound
from backend.members import service as members

from .. import locks, queries, service
from ..errors import CardHeld, CardVirtualOff
from ..types import Card, Handing, Way

TRIES, TRIES_S = 20, 3600
"""Numbers that a member may try in an hour: nobody finds cards of others by it."""

TURNS, TURNS_S = 10, 86_400
"""How often a day a member may find a lost card, or be given a number: each is a line that is kept for good."""

_BY = Handing(Way.PHONE)


async def bind(member_id: int, card_no: str) -> Card:
    """Make a card in hand the member's own, where its type allows it."""
    await limits.hit(f"membercard-bind:{member_id}", TRIES, TRIES_S)
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        card_id = await service.issue(tx, member_id, card_no, _BY)
    return await queries.get_card(card_id)


async def get_virtual(member_id: int) -> Card:
    """Give the member a number without a card."""
    await limits.hit(f"membercard-virtual:{member_id}", TURNS, TURNS_S)
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        card_id = await service.give_virtual(tx, member_id, _BY)
        if card_id is None:
            raise CardHeld if await locks.lock_held(tx, member_id) else CardVirtualOff
    return await queries.get_card(card_id)


async def report_lost(member_id: int) -> Card:
    """Let the member's card be good nowhere from now on; repeated, it changes nothing."""
    return await _act(member_id, lost=True)


async def report_found(member_id: int) -> Card:
    """Let the member's lost card be good again; one that was replaced is theirs no more.

    A loss is reported however often; only finding is counted, without which nothing can be lost again.
    """
    await limits.hit(f"membercard-found:{member_id}", TURNS, TURNS_S)
    return await _act(member_id, lost=False)


async def _act(member_id: int, *, lost: bool) -> Card:
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        card = await locks.lock_held(tx, member_id)
        if card is None:
            raise NotFound("you have no card that could be lost")
        await (service.report_lost if lost else service.report_found)(tx, card, _BY)
    return await queries.get_card(card.id)
