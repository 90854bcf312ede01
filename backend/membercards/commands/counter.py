"""What staff do for a card: give it to who stands there, and what becomes of it afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backend.auth.errors import CodeInvalid
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, guessing, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.errors import MemberNotPresent, StatusConflict
from backend.members.service import Present
from backend.members.types import Status

from .. import locks, queries, service
from ..errors import CardConflict
from ..schemas import IssueIn, ReplaceIn
from ..types import Card, Handing, Way

log = logging.get(__name__)

Act = Callable[[Tx, Card, Handing], Awaitable[None]]
_NONE = "there is no such member card"


async def issue_card(body: IssueIn, caller: StaffCaller) -> Card:
    """Give a card to the member who stands at the counter; a code that proves it is spent with it."""
    present = await _who(body.code, body.phone, caller)
    async with db.transaction() as tx:
        await member_service.lock(tx, present.member_id)
        await member_service.spend_presence(tx, present, store_id=caller.store_id, at=clock.now())
        card_id = await service.issue(tx, present.member_id, body.card_no, _by(caller, body.reason))
    log.info("membercards.issued", card_id=card_id, member_id=present.member_id, staff_id=caller.staff_id)
    return await queries.get_card(card_id)


async def replace_card(card_id: str, body: ReplaceIn, caller: StaffCaller) -> Card:
    """Put another card in the place of a member's, who stands at the counter; the old one is good nowhere for good.

    Any store serves who shows the code on their phone, also of whose card it learns nothing without that.
    """
    card = await _find(card_id)
    hidden = card is None or not await _reaches(caller, card)
    if hidden and body.code is None:
        raise NotFound(_NONE)
    present = await _who(body.code, body.phone, caller)
    if card is None or card.member_id != present.member_id:
        await guessing.miss(caller.staff_id, "code")
        raise NotFound(_NONE) if hidden else MemberNotPresent("the card is another member's")
    async with db.transaction() as tx:
        await member_service.lock(tx, present.member_id)
        held = await locks.lock_held(tx, present.member_id)
        if held is None or held.id != card.id:
            raise CardConflict(extra={"state": (await queries.get_card(card.id)).state.value})
        if held.number == body.card_no:
            raise invalid("/card_no", "is the card that is to be replaced")
        await member_service.spend_presence(tx, present, store_id=caller.store_id, at=clock.now())
        new_id = await service.issue(tx, present.member_id, body.card_no, _by(caller, body.reason), replacing=True)
    log.info("membercards.replaced", card_id=card.id, new_id=new_id, staff_id=caller.staff_id)
    return await queries.get_card(new_id)


async def report_lost(card_id: str, reason: str, caller: StaffCaller) -> Card:
    """Let a card be good nowhere, as its member asked."""
    return await _act(card_id, reason, caller, service.report_lost)


async def report_found(card_id: str, reason: str, caller: StaffCaller) -> Card:
    """Let a lost card be good again."""
    return await _act(card_id, reason, caller, service.report_found)


async def end_card(card_id: str, reason: str, caller: StaffCaller) -> Card:
    """Take a card out of use for good."""
    return await _act(card_id, reason, caller, service.end)


async def _act(card_id: str, reason: str, caller: StaffCaller, act: Act) -> Card:
    card = await reached(caller, card_id)
    async with db.transaction() as tx:
        if card.member_id is not None:
            await member_service.lock(tx, card.member_id)
        now = await locks.lock_card(tx, card.id)
        if now.member_id != card.member_id:
            raise CardConflict
        await act(tx, now, _by(caller, reason))
    return await queries.get_card(card.id)


async def search_card(card_no: str, caller: StaffCaller) -> Card:
    """The card with this number, where the caller may see it; who guesses is slowed down."""
    guessing.check(caller.staff_id)
    found = await queries.find_by_number(card_no)
    if found is None or not await _reaches(caller, found):
        await guessing.miss(caller.staff_id, "card_no")
        raise NotFound(_NONE)
    return found


async def reached(caller: StaffCaller, card_id: str) -> Card:
    """A card that the caller may see: one of their store's, or of a member of it; ``NotFound`` for any other."""
    card = await _find(card_id)
    if card is None or not await _reaches(caller, card):
        raise NotFound(_NONE)
    return card


async def _find(card_id: str) -> Card | None:
    row_id = ids.read_bigint(card_id)
    return await queries.find_card(row_id) if row_id is not None else None


async def _reaches(caller: StaffCaller, card: Card) -> bool:
    if caller.office or (card.issuer_store is not None and card.issuer_store == caller.store_id):
        return True
    member = await members.find_member(card.member_id) if card.member_id is not None else None
    return member is not None and caller.reaches(member.store_id)


async def _who(code: str | None, phone: str | None, caller: StaffCaller) -> Present:
    """Who stands at the counter: by their code, whoever's member they are, or by the number of one of the caller's."""
    if (code is None) == (phone is None):
        raise invalid("/code", "give the code on the phone, or the phone number")
    guessing.check(caller.staff_id)
    if code is not None:
        try:
            present = await member_service.find_present(code, None)
        except CodeInvalid:
            await guessing.miss(caller.staff_id, "code")
            raise
    else:
        member_id = await members.find_id_by_phone(phone or "")
        present = Present(member_id or 0)
    member = await members.find_member(present.member_id)
    if member is None or (code is None and not caller.reaches(member.store_id)):
        await guessing.miss(caller.staff_id, "phone")
        raise MemberNotPresent("nobody whom you may serve shows this code or has this phone number")
    if member.status is not Status.ACTIVE:
        raise StatusConflict(f"the member is {member.status.value}")
    return present


def _by(caller: StaffCaller, reason: str) -> Handing:
    return Handing(Way.COUNTER, caller.staff_id, caller.store_id, reason)
