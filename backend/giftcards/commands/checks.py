"""A card is shown at a till or typed on a phone: what is on it, and a token that stands for it there."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.auth import queries as auth
from backend.auth.types import MemberCaller, TerminalCaller
from backend.kernel import clock
from backend.kernel.config import settings

from .. import queries, rules, tokens
from ..schemas import CheckOut
from ..tokens import PHONES, CardToken
from ..types import GiftCard
from . import tries

TOKEN_TTL_S = 300
PHONE_TTL_S = 900
"""A checkout takes longer than a sale."""


async def check(card_no: str, pin: str, terminal: TerminalCaller) -> CheckOut:
    """What is on the card, and a token to pay with at this till for five minutes.

    Refuses one that pays nothing, and one that a member has bound: of that, number and PIN tell nothing any more.
    """
    now = clock.now()
    store = await auth.get_store(terminal.store_id)
    card = await tries.prove_to_till(card_no, pin, terminal.terminal_id)
    rules.check_payable(card, clock.local_date(now, store.timezone))
    rules.check_payer(card, None)
    token = CardToken(card.id, int(now.timestamp()) + TOKEN_TTL_S)
    return _shown(card, token, terminal.terminal_id, store.id)


async def check_by_member(card_no: str, pin: str, caller: MemberCaller) -> CheckOut:
    """What is on the card, and a token to pay orders with as this member for a quarter of an hour.

    Refuses one that pays nothing, and one that another member has bound.
    """
    now = clock.now()
    card = await tries.prove_by_member(card_no, pin, caller.member_id)
    rules.check_payable(card, clock.local_date(now, settings().timezone))
    rules.check_payer(card, caller.member_id)
    token = CardToken(card.id, int(now.timestamp()) + PHONE_TTL_S)
    return _shown(card, token, str(caller.member_id), PHONES)


def _shown(card: GiftCard, token: CardToken, terminal_id: str, store_id: str) -> CheckOut:
    return CheckOut(
        card_token=tokens.seal(token, terminal_id, store_id, queries.token_key()),
        expires_at=datetime.fromtimestamp(token.expires_at, tz=UTC),
        card_id=str(card.id),
        title=card.title,
        number_masked=card.number_masked,
        balance_fen=card.balance_fen,
        valid_until=card.valid_until,
    )
