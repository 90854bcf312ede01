"""What staff do to passes: give one, make one void, give back what is left of one. And what their rows say."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, ids
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, Unavailable, invalid
from backend.kernel.http import Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused, IdempotencyConflict, MemberUnknown
from backend.ledger.types import Document, Posted

from .. import plans, queries, service
from ..events import PassEnded, PassIssued, PassReopened
from ..rules import judging
from ..rules.recognising import next_recognition
from ..schemas import EndOut, GiveIn
from ..types import Held, PassKind, PassState


def staff_scope(caller: StaffCaller) -> str:
    """The idempotency scope of somebody of the staff."""
    return f"staff/{caller.staff_id}"


async def give(product_id: str, body: GiveIn, caller: StaffCaller, idem: Idempotency) -> tuple[Held, bool]:
    """Give a member a pass for nothing, once per key; True for a retry."""
    member_id = ids.read_bigint(body.member_id)
    if member_id is None:
        raise invalid("/member_id", "not a member's id")
    now = clock.now()
    async with db.transaction() as tx:
        try:
            posted = await service.give_in(
                tx,
                member_id,
                product_id,
                f"staff:{caller.staff_id}",
                scope=staff_scope(caller),
                key=idem.key,
                request_hash=idem.request_hash.hex(),
                at=now,
            )
        except MemberUnknown:
            raise invalid("/member_id", "there is no such member") from None
        pass_id = posted.document_id or ""
        if not posted.replayed:
            detail = {"product_id": product_id, "reason": body.reason}
            await queries.changes.note(tx, pass_id, caller.staff_id, "give", detail, now)
    held = await queries.find_pass(member_id, pass_id, service.today(now))
    if held is None:
        raise IdempotencyConflict  # this key's answer was something else
    return held, posted.replayed


async def get_pass(pass_id: str, caller: StaffCaller) -> Held:
    """A pass that this person may see: of their store, or any for head office."""
    member_id = queries.owner_of(pass_id)
    held = await queries.find_pass(member_id, pass_id, service.today(clock.now())) if member_id else None
    if held is None or not caller.reaches(held.store_id):
        raise NotFound("there is no such pass")
    return held


async def end(
    pass_id: str, state: PassState, reason: str, caller: StaffCaller, idem: Idempotency
) -> tuple[EndOut, bool]:
    """Close a pass before its time, once per key and once at all: ``refunded`` tells what to pay out, ``void`` nothing.

    Raises why a pass that has ended already cannot be ended.
    """
    held = await get_pass(pass_id, caller)
    known = await ledger_queries.find_own_key(held.member_id, staff_scope(caller), idem.key)
    if known is not None:
        if known.hash != idem.request_hash:
            raise IdempotencyConflict
        return await _ended(held.member_id, known.result), True
    judging.check_alive(held)
    if await queries.find_card(held.member_id, pass_id) is None:
        # Which store sold it, and so whose sales it was, its row will say in a moment.
        raise Unavailable("the sale of this pass is being written down; try again", retry_after_s=1)
    now = clock.now()
    try:
        async with db.transaction() as tx:
            rest = await earn_days(tx, held, now)
            end_id = ids.new_document_id(plans.END_PREFIX, held.member_id)
            plan = plans.end(rest, end_id, state, reason=reason, now=now, on=service.today(now))
            posted = await ledger.post_in(
                tx,
                msgspec.structs.replace(plan, scope=staff_scope(caller), key=idem.key, hash=idem.request_hash.hex()),
            )
            if not posted.replayed:
                await queries.changes.note(tx, pass_id, caller.staff_id, str(state), {"reason": reason}, now)
    except GuardRefused as refused:
        raise service.refusal_of(refused) or refused from refused
    return await _ended(held.member_id, posted), posted.replayed


async def earn_days(tx: Tx, held: Held, now: datetime) -> Held:
    """Earn the days of a pass that are over, today among them; the pass with what is left of its value."""
    on = service.today(now)
    earned = 0 if held.terms.kind is PassKind.COUNTED else plans.elapsed_share(held, on)
    if earned:
        await ledger.post_in(tx, plans.recognise(held, earned, on, now=now, on=on))
    return msgspec.structs.replace(held, value_fen=held.value_fen - earned)


async def _ended(member_id: int, posted: Posted) -> EndOut:
    document = await ledger_queries.find_document(member_id, posted.document_id or "")
    if document is None or document.kind != plans.END:
        raise IdempotencyConflict  # this key's answer was something else
    return end_out(document)


def end_out(document: Document) -> EndOut:
    """How a pass was ended, as staff were told."""
    body = msgspec.convert(document.body, plans.EndBody)
    return EndOut(document.id, body.pass_id, body.state, body.uses, body.value_fen, body.payout_fen, document.at)


# -- rows, by events


async def note_issue(tx: Tx, event: PassIssued) -> None:
    """Write the row of a pass that was issued; a discount card counts from now on."""
    days = event.kind is not PassKind.COUNTED and event.paid_fen > 0
    await db.raw(tx).execute(
        "INSERT INTO pass_card (member_id, id, product_id, version, kind, source, store_id, uses, paid_fen, issued_at,"
        " valid_from, expires_on, recognise_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        " ON CONFLICT DO NOTHING",
        event.member_id,
        event.pass_id,
        event.product_id,
        event.version,
        event.kind.value,
        event.source,
        event.store_id,
        event.uses,
        event.paid_fen,
        event.at,
        event.valid_from,
        event.expires_on,
        next_recognition(event.valid_from) if days else None,
    )
    if event.kind is PassKind.DISCOUNT:
        await service.choose_card(tx, event.member_id, service.today(clock.now()))


async def note_end(tx: Tx, event: PassEnded) -> None:
    """Write down for display how a pass ended, if nothing is left of it; events may come late and out of turn."""
    rows = await db.fetch_in(
        tx,
        "UPDATE pass_card SET ended_as = $3, ended_at = $4, recognise_on = NULL"
        f" WHERE member_id = $1 AND id = $2 AND {_LEFT} = 0 RETURNING kind",
        event.member_id,
        event.pass_id,
        event.state.value,
        event.at,
    )
    if rows and rows[0]["kind"] == PassKind.DISCOUNT:
        await service.choose_card(tx, event.member_id, service.today(clock.now()))


async def note_reopening(tx: Tx, event: PassReopened) -> None:
    """Forget that a pass was used up, if something is left of it again."""
    await db.raw(tx).execute(
        "UPDATE pass_card SET ended_as = NULL, ended_at = NULL"
        f" WHERE member_id = $1 AND id = $2 AND ended_as = 'used_up' AND {_LEFT} > 0",
        event.member_id,
        event.pass_id,
    )


_LEFT = (
    "(SELECT coalesce(sum(balance), 0) FROM ledger_account a WHERE a.member_id = pass_card.member_id"
    " AND a.kind = 'service' AND a.ref = pass_card.id)"
)
