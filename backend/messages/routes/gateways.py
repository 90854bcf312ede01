"""Where gateways and mail servers report: signed, dated, each request good once."""

from __future__ import annotations

import asyncio

from backend.kernel import logging
from backend.kernel.errors import ValidationFailed
from backend.kernel.http import Request, Router
from backend.kernel.http.errors import UnsupportedMediaType

from ..channel_schemas import ReceiptsIn, RepliesIn, TakenOut
from ..commands import returns
from ..delivery import bounces, guard
from ..errors import BounceUnreadable

router = Router(tag="messages")
log = logging.get(__name__)


@router.post(
    "/v1/messages/sms/receipts", guard=guard.sms, rate_limited=False, errors=(ValidationFailed,), summary="短信回执"
)
async def take_receipts(body: ReceiptsIn) -> TakenOut:
    """Write down what became of messages; one that we do not know, or know more of, changes nothing."""
    return TakenOut(await returns.take_receipts(body.items))


@router.post(
    "/v1/messages/sms/replies", guard=guard.sms, rate_limited=False, errors=(ValidationFailed,), summary="短信回复"
)
async def take_replies(body: RepliesIn) -> TakenOut:
    """Keep what members wrote back; TD and 退订 end what needs consent, at once."""
    taken = await returns.take_replies(body.items)
    log.info("messages.replies_taken", count=taken, others=len(body.items) - taken)
    return TakenOut(taken)


@router.post(
    "/v1/messages/bounces",
    guard=guard.mail,
    rate_limited=False,
    body_limit=bounces.MOST_BYTES,
    errors=(BounceUnreadable, UnsupportedMediaType),
    summary="退信",
)
async def take_bounce(body: bytes, request: Request) -> TakenOut:
    """Take one mail that came to the bounces' address, as it came (RFC 3464 in RFC 5322): ``message/rfc822``."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "message/rfc822":
        raise UnsupportedMediaType("the body must be a mail: Content-Type message/rfc822")
    try:
        bounce = await asyncio.to_thread(bounces.read, body)
    except bounces.NotAReport as error:
        log.info("messages.bounce_refused", reason=error.reason)
        raise BounceUnreadable(error.reason) from None
    return TakenOut(int(await returns.take_bounce(bounce)))
