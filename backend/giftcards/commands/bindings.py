"""A member makes a card their own: from then on their code pays with it, and no PIN."""

from __future__ import annotations

from backend.auth.types import MemberCaller
from backend.kernel import clock, db, events, logging
from backend.kernel.config import settings
from backend.members import service as members

from .. import locks, queries, rules
from ..events import GiftCardBound
from ..types import GiftCard
from . import tries

log = logging.get(__name__)


async def bind(card_no: str, pin: str, caller: MemberCaller) -> GiftCard:
    """Bind the card to the member; what it holds stays where it is. Again by the same member it changes nothing.

    A bound card has no last day. Source: PRC single-purpose prepaid card rules (2012), article 19.
    """
    member_id = caller.member_id
    found = await tries.prove_by_member(card_no, pin, member_id)
    if found.member_id == member_id:
        return found
    now = clock.now()
    async with db.transaction() as tx:
        # The member first: two cards at once must not both find room for one.
        await members.lock(tx, member_id)
        card = await locks.lock_card(tx, found.id)
        if card.member_id != member_id:
            rows = await db.fetch_in(
                tx, "SELECT count(*) FROM giftcard WHERE member_id = $1 AND state <> 'closed'", member_id
            )
            on = clock.local_date(now, settings().timezone)
            rules.check_bindable(card, on, held=rows[0][0], most=settings().gift_cards_per_member)
            await db.raw(tx).execute(
                "UPDATE giftcard SET member_id = $2, bound_at = $3, valid_until = NULL WHERE id = $1",
                card.id,
                member_id,
                now,
            )
            await events.publish(tx, GiftCardBound(member_id=member_id, card_id=card.id))
    log.info("giftcards.bound", card_id=card.id, member_id=member_id)
    return await queries.get_card(str(card.id))
