"""Begin a recharge: intent, commit, order at WeChat, record. And look at one."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from backend.auth.types import MemberCaller
from backend.kernel import clock, ids, limits, logging
from backend.kernel.config import settings
from backend.kernel.errors import DomainError, NotFound, RateLimited
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Stale
from backend.ledger.types import Document
from backend.members import queries as members
from backend.wechat import service as wechat
from backend.wechat.errors import OrderClosed, OrderPaid, PayRefused

from .. import plans, service
from ..errors import RechargeOver
from ..schemas import RechargeCreated, RechargeIn, RechargeOut
from ..types import RechargeStatus
from . import pending

log = logging.get(__name__)

MARGIN = timedelta(seconds=120)
"""How much longer an order lives at WeChat, which opens none that ends within a minute; we close it before."""

ASK_FROM_S = 20
ASK_EVERY_S = 5
MAX_TIMES_PLANNED = 3


async def create_recharge(body: RechargeIn, caller: MemberCaller, idem: Idempotency) -> Answer[RechargeCreated]:
    """Open a recharge and its order at WeChat, once per key; a retry finishes what a failure left undone."""
    document = await _find_begun(caller.member_id, idem) or await _begin(body, caller.member_id, idem)
    if plans.progress_of(document).pay_params is not None:
        return Answer(_created(document), replayed=True)
    return await _order(document, caller.openid)


async def _find_begun(member_id: int, idem: Idempotency) -> Document | None:
    """What this key began, or None."""
    first = await ledger_queries.find_own_answer(member_id, idem.key, idem.request_hash)
    return None if first is None else await _get(member_id, first.document_id or "")


async def _begin(body: RechargeIn, member_id: int, idem: Idempotency) -> Document:
    """Store the intent; from here on this key is this order number, with these terms."""
    now = clock.now()
    rules = settings()
    agreed = await service.agree(member_id, body.offer_id, body.amount_fen, now)
    pay_until = (now + timedelta(seconds=rules.recharge_close_after_s)).replace(microsecond=0)
    plan = plans.open_recharge(
        ids.new_document_id("R", member_id),
        msgspec.structs.replace(agreed, pay_until=pay_until),
        member_id=member_id,
        key=idem.key,
        request_hash=idem.request_hash,
        now=now,
        on=clock.local_date(now, rules.timezone),
        due_at=min(now + timedelta(seconds=rules.recharge_query_after_s), pay_until),
    )
    posted = await ledger.post(plan)
    return await _get(member_id, posted.document_id or "")


async def _order(document: Document, openid: str) -> Answer[RechargeCreated]:
    """Open the order at WeChat and record how it is paid; of several at once the first one's answer is everybody's."""
    body = plans.body_of(document)
    pay_until = pending.ends_at(document)
    if document.state != RechargeStatus.PENDING or clock.now() >= pay_until:
        raise RechargeOver
    try:
        prepay_id = await wechat.create_order(
            document.id,
            amount_fen=body.pay_fen,
            description=f"{settings().chain_name}储值",
            openid=openid,
            expires_at=pay_until + MARGIN,
        )
    except (OrderPaid, OrderClosed):
        document = await _get(document.member_id, document.id)
        if plans.progress_of(document).pay_params is None:
            raise RechargeOver from None
        return Answer(_created(document), replayed=True)
    except PayRefused:
        if clock.now() < pay_until:
            raise
        raise RechargeOver from None  # its time ended on the way: WeChat opens no order that has ended
    return await _record(document, wechat.pay_params(prepay_id, clock.now()))


async def _record(document: Document, pay_params: dict[str, str]) -> Answer[RechargeCreated]:
    for _ in range(MAX_TIMES_PLANNED):
        now = clock.now()
        progress = plans.progress_of(document)
        plan = plans.change(
            document,
            "ordered",
            now=now,
            on=clock.local_date(now, settings().timezone),
            progress=msgspec.structs.replace(progress, pay_params=pay_params),
            due_at=document.due_at,
        )
        try:
            posted = await ledger.post(plan)
        except Stale:
            document = await _get(document.member_id, document.id)
            continue
        return Answer(_created(await _get(document.member_id, document.id)), replayed=posted.replayed)
    raise Stale


async def get_recharge(recharge_id: str, member_id: int) -> RechargeOut:
    """A member's recharge as it stands; where it waits for long, WeChat is asked, now and then."""
    document = await _get(member_id, recharge_id)
    if document.state == RechargeStatus.PENDING and await _may_ask(document):
        try:
            await pending.ask(document, clock.now(), postpone=False)
        except DomainError as error:
            log.warning("wallet.recharge_not_asked", recharge_id=recharge_id, error=error.code)
        document = await _get(member_id, recharge_id)
    return show(document)


async def _may_ask(document: Document) -> bool:
    if clock.now() < document.at + timedelta(seconds=ASK_FROM_S):
        return False
    try:
        await limits.hit(f"recharge:{document.id}", 1, ASK_EVERY_S)
    except RateLimited:
        return False
    return True


def show(document: Document) -> RechargeOut:
    """How a recharge looks to its member: on the way back to the payer it is closed, then refunded."""
    body, progress = plans.body_of(document), plans.progress_of(document)
    status = RechargeStatus(document.state)
    return RechargeOut(
        id=document.id,
        status=RechargeStatus.CLOSED if status is RechargeStatus.REFUNDING else status,
        pay_fen=body.pay_fen,
        bonus_fen=body.bonus_fen if progress.bonus_fen is None else progress.bonus_fen,
        points=body.points if progress.points is None else progress.points,
        refunded_fen=progress.refunded_fen,
    )


async def _get(member_id: int, recharge_id: str) -> Document:
    """A recharge of this member's, or of one who became part of them."""
    owner_id = ids.member_of(recharge_id, "R") or member_id
    document = await ledger_queries.find_document(owner_id, recharge_id)
    if document is None or document.kind != plans.RECHARGE:
        raise NotFound("there is no such recharge")
    if owner_id != member_id and await members.current_id(owner_id) != member_id:
        raise NotFound("there is no such recharge")
    return document


def _created(document: Document) -> RechargeCreated:
    pay_params = plans.progress_of(document).pay_params
    assert pay_params is not None
    return RechargeCreated(document.id, document.id, RechargeStatus.PENDING, pay_params)
