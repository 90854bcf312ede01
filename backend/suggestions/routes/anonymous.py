"""Calls of those who say no name: with a ticket or a receipt. Nothing of them is logged or counted.

They are private routes, and take no session: whoever sends one along is not looked at.
"""

from __future__ import annotations

from datetime import UTC, datetime, time

from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, Unavailable, ValidationFailed
from backend.kernel.http import Answer, Idempotency, Router, public
from backend.ledger.errors import IdempotencyConflict

from .. import queries, tickets, views
from ..commands import tickets as giving
from ..commands import writing
from ..errors import (
    AttachmentRefused,
    BoxClosed,
    NameRequired,
    SuggestionConflict,
    TicketSpent,
    WaitForAnswer,
)
from ..guards import receipt, ticket
from ..schemas import AddIn, AnonymousIn, KeyOut, RatingIn, ReceiptOut, SuggestionDetail
from ..types import Key, ReceiptCaller, TicketCaller

router = Router(tag="suggestion boxes")

_MINE = "/v1/anonymous/suggestion"
BODY_BYTES = 6_815_744
"""Three pictures in base64, and a text."""


@router.get("/v1/anonymous/key", guard=public, private=True, rate_limited=False, summary="匿名凭证公钥")
async def get_key() -> KeyOut:
    """This week's key for tickets. Asked for without a session, so that everybody is told the same one."""
    return _key_out(await giving.current_key())


def _key_out(key: Key) -> KeyOut:
    over = datetime.combine(key.week + tickets.GOOD_FOR, time(), clock.zone(settings().timezone))
    return KeyOut(
        key_id=key.id,
        modulus=tickets.to_base64url(tickets.modulus(key.private)),
        label=tickets.LABEL.decode(),
        good_until=over.astimezone(UTC),
        tickets_a_week=giving.TICKETS_A_WEEK,
    )


@router.post(
    "/v1/anonymous/suggestions",
    guard=ticket,
    status=201,
    private=True,
    rate_limited=False,
    body_limit=BODY_BYTES,
    summary="匿名提交意见",
    errors=(NotFound, ValidationFailed, AttachmentRefused, BoxClosed, NameRequired, TicketSpent, Unavailable),
)
async def write(caller: TicketCaller, body: AnonymousIn) -> Answer[ReceiptOut]:
    """Put a suggestion into a box without a name; the ticket is good for one, sent again it gives the first answer.

    The receipt is told here only: what is stored does not lead to it. Pictures are drawn anew, so that no place and no
    camera is in them.
    """
    code, suggestion_id, again = await writing.write_anonymous(body, caller)
    shown = await views.detail(await queries.get_suggestion(suggestion_id))
    return Answer(ReceiptOut(receipt=tickets.printed_receipt(code), suggestion=shown), replayed=again)


@router.get(_MINE, guard=receipt, private=True, rate_limited=False, summary="凭回执码查看")
async def read(caller: ReceiptCaller) -> SuggestionDetail:
    """The suggestion whose receipt is shown, with every answer."""
    return await _shown(caller)


@router.post(
    f"{_MINE}/messages",
    guard=receipt,
    status=201,
    private=True,
    rate_limited=False,
    idempotent=True,
    body_limit=BODY_BYTES,
    summary="凭回执码补充",
    errors=(ValidationFailed, AttachmentRefused, WaitForAnswer, IdempotencyConflict, Unavailable),
)
async def add(caller: ReceiptCaller, body: AddIn, idem: Idempotency) -> Answer[SuggestionDetail]:
    """Add to it; at most five messages before somebody answers."""
    again = await writing.add_anonymous(caller.suggestion_id, body, idem)
    return Answer(await _shown(caller), replayed=again)


@router.put(
    f"{_MINE}/rating",
    guard=receipt,
    private=True,
    rate_limited=False,
    summary="凭回执码评价",
    errors=(ValidationFailed, SuggestionConflict),
)
async def rate(caller: ReceiptCaller, body: RatingIn) -> SuggestionDetail:
    """Say how good the answer was."""
    await writing.rate_anonymous(caller.suggestion_id, body)
    return await _shown(caller)


async def _shown(caller: ReceiptCaller) -> SuggestionDetail:
    return await views.detail(await queries.get_suggestion(caller.suggestion_id))


queries.PICTURES.serve(router, queries.find_picture, summary="匿名意见图片", private=True)
