"""Plans of what happens to a member card at a till: who it is proved by, and the money that the till takes or gives.

Pure. Between a till and the chain, a deposit is held in ``house.card_deposits`` under the store that took it, so
another store that gives it back is owed it; a fee is ``house.card_fees`` of the store that took it.
"""

from __future__ import annotations

import msgspec

from backend.kernel import ids
from backend.kernel.events import encode as encode_event
from backend.ledger.plans import (
    FEN,
    HOUSE_CARD_DEPOSITS,
    HOUSE_CARD_FEES,
    HOUSE_TILLS,
    CodeUse,
    Leg,
    NewDocument,
    Plan,
)

from .events import MemberCardPaid
from .types import DOCUMENT_PREFIX, GIVEN, TAKEN_BACK, AtTill, Dues, Errand, Kept


def given(member_id: int, card: Kept, dues: Dues, *, replaced: int | None, at: AtTill) -> Plan:
    """A card given to a member, and what the till was paid for it."""
    deposit, fee = dues.deposit_fen, dues.fee_fen
    legs = _legs((HOUSE_CARD_DEPOSITS, deposit, at.store_id), (HOUSE_CARD_FEES, fee, at.store_id), at=at)
    errand = Errand(
        card_id=str(card.id),
        last4=card.number[-4:],
        title=card.title,
        terminal_id=at.terminal_id,
        tender=at.tender,
        reference=at.reference,
        deposit_fen=deposit,
        fee_fen=fee,
        replaced=str(replaced) if replaced is not None else None,
    )
    return _plan(member_id, GIVEN, errand, legs, at, active=True)


def taken_back(member_id: int, card: Kept, *, deposit_fen: int, held_by: str | None, at: AtTill) -> Plan:
    """A card taken back, with the deposit that ``held_by`` took for it."""
    legs = _legs((HOUSE_CARD_DEPOSITS, -deposit_fen, held_by or ""), at=at)
    errand = Errand(
        card_id=str(card.id),
        last4=card.number[-4:],
        title=card.title,
        terminal_id=at.terminal_id,
        tender=at.tender,
        reference=at.reference,
        deposit_fen=deposit_fen,
        held_by=held_by,
    )
    return _plan(member_id, TAKEN_BACK, errand, legs, at, active=False)


def _legs(*what: tuple[str, int, str], at: AtTill) -> tuple[Leg, ...]:
    """What goes to the house's accounts, and comes from the till; nothing where nothing is paid."""
    to = [Leg(account, FEN, fen, ref=ref) for account, fen, ref in what if fen]
    return (Leg(HOUSE_TILLS, FEN, -sum(leg.amount for leg in to), ref=at.store_id), *to) if to else ()


def _plan(member_id: int, kind: str, errand: Errand, legs: tuple[Leg, ...], at: AtTill, *, active: bool) -> Plan:
    document_id = ids.new_document_id(DOCUMENT_PREFIX, member_id)
    told = MemberCardPaid(
        member_id=member_id,
        document_id=document_id,
        store_id=at.store_id,
        back=kind == TAKEN_BACK,
        fen=errand.total_fen,
    )
    return Plan(
        member_id=member_id,
        kind=kind,
        at=at.now,
        on=at.on,
        scope=at.scope,
        key=at.key,
        hash=at.request_hash.hex(),
        active=active,
        use=CodeUse(at.store_id) if at.guards else None,
        guards=tuple(at.guards),
        document=NewDocument(
            document_id,
            kind,
            "posted",
            msgspec.to_builtins(errand),
            store_id=at.store_id,
            memo={"cashier": at.cashier} if at.cashier else None,
        ),
        legs=legs,
        events=(encode_event(told),) if legs else (),
    )
