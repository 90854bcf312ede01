"""Cases are opened by members, by staff for whoever told them, and claimed by members with the number they left."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids, limits, logging
from backend.kernel.errors import NotFound, invalid
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger
from backend.ledger.errors import IdempotencyConflict
from backend.mall import queries as mall
from backend.members import queries as members

from .. import locks, queries, rules, service
from ..schemas import CaseIn, StaffCaseIn
from ..types import Action, Actor, By, Case, CaseChannel, Contact, NewCase

log = logging.get(__name__)

A_DAY = 20
"""Cases that a member may open in 24 hours."""

CLAIMED_WITHIN = timedelta(days=180)
MOST_CLAIMED = 50
_DAY_S = 86_400
_OWN = ("S", "D")
"""What the ids of purchases begin with: a sale's and an order's."""


def key_of(scope: str, idem: Idempotency) -> str:
    """What a step under a client's key is found by."""
    return hashlib.sha256(f"{scope}\n{idem.key}".encode()).hexdigest()


async def open_by_member(body: CaseIn, member_id: int, idem: Idempotency) -> tuple[str, bool]:
    """Open a member's case, once per key; its id, True for a retry."""
    text, key = rules.check_text(body.text), key_of(f"member {member_id}", idem)
    for number in await members.ids_of(member_id):
        if (known := await _known(key_of(f"member {number}", idem), idem)) is not None:
            return known, True
    await limits.hit(f"case:{member_id}", A_DAY, _DAY_S)
    new = NewCase(
        kind=body.kind,
        channel=CaseChannel.MINIAPP,
        text=text,
        member_id=member_id,
        store_id=await _store_of(body, member_id),
        reference=body.reference,
        sku=body.sku,
        pictures=tuple(body.pictures),
    )
    await _check_sku(body.sku)
    return await _open(new, key, idem)


async def _store_of(body: CaseIn, member_id: int) -> str | None:
    """The store that a member names, or where what the case is about was bought; refused where that is not theirs."""
    store_id = body.store_id
    if store_id is not None and await auth.find_store(store_id) is None:
        raise invalid("/store_id", "there is no such store")
    if body.reference:
        owner_id = next(filter(None, (ids.member_of(body.reference, prefix) for prefix in _OWN)), None)
        books = await members.find_books(member_id, owner_id)
        document = await ledger.find_document(books, body.reference) if books else None
        if document is None:
            raise invalid("/reference", "is no order or purchase of yours")
        return store_id or document.store_id
    return store_id


async def _check_sku(sku: str) -> None:
    if sku and sku not in await mall.find_article_names([sku]):
        raise invalid("/sku", "there is no such article")


async def open_by_staff(body: StaffCaseIn, caller: StaffCaller, idem: Idempotency) -> tuple[str, bool]:
    """Open a case that a customer told somebody of the staff, once per key; staff of a store for that store."""
    text, key = rules.check_text(body.text), key_of(f"staff {caller.staff_id}", idem)
    store_id = body.store_id or caller.store_id
    if store_id is not None and (await auth.find_store(store_id) is None or not caller.reaches(store_id)):
        raise NotFound("there is no such store")
    if body.channel is CaseChannel.MINIAPP:
        raise invalid("/channel", "is what members use themselves")
    if body.member_no is not None and body.contact is not None:
        raise invalid("/contact", "a member needs none")
    member_id = await _member_of(body.member_no)
    await _check_sku(body.sku)
    if (known := await _known(key, idem)) is not None:
        return known, True
    new = NewCase(
        kind=body.kind,
        channel=body.channel,
        text=text,
        member_id=member_id,
        contact=Contact(body.contact.name, body.contact.phone) if body.contact else None,
        store_id=store_id,
        reference=body.reference,
        sku=body.sku,
        priority=body.priority,
        by=Actor(By.STAFF, caller.staff_id),
    )
    return await _open(new, key, idem)


async def _member_of(member_no: str | None) -> int | None:
    if member_no is None:
        return None
    member_id = await members.find_id_by_number(member_no)
    if member_id is None:
        raise invalid("/member_no", "there is no such member")
    return member_id


async def _known(key: str, idem: Idempotency) -> str | None:
    row = await db.fetchrow("SELECT case_id, request FROM feedback_step WHERE key = $1", key)
    if row is None:
        return None
    check_same(row["request"], idem)
    case_id: str = row["case_id"]
    return case_id


def check_same(request: str, idem: Idempotency) -> None:
    """Refuse a key that was used for another request."""
    if request != idem.request_hash.hex():
        raise IdempotencyConflict


async def _open(new: NewCase, key: str, idem: Idempotency) -> tuple[str, bool]:
    async with db.transaction() as tx:
        await locks.lock_key(tx, key)
        if (known := await queries.step_under(tx, key)) is not None:
            check_same(known[1], idem)
            return known[0], True
        case_id = await service.open(tx, new, at=clock.now(), key=key, request=idem.request_hash.hex())
    log.info("cases.opened", case_id=case_id, kind=new.kind.value, channel=new.channel.value)
    return case_id, False


async def claim(member_id: int) -> list[Case]:
    """Make the cases of the last half year that were left under this member's number theirs; repeated, nothing is left.

    Who gave the number agreed to it, and WeChat vouches for the member's.
    """
    index = await members.find_phone_index(member_id)
    if index is None:
        return []
    async with db.transaction() as tx:
        found = await queries.list_claimable(tx, index, clock.now() - CLAIMED_WITHIN, MOST_CLAIMED)
        for case in found:
            await service.step(tx, case, Action.CLAIM, Actor(By.MEMBER), changes={"member_id": member_id})
    if found:
        log.info("cases.claimed", member_id=member_id, claimed=len(found))
    return [await queries.get_case(case.id) for case in found]
