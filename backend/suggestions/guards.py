"""Who may call without a name: whoever shows a ticket, or the receipt of a suggestion. Neither says who that is."""

from __future__ import annotations

import re

from backend.kernel.errors import Unauthenticated
from backend.kernel.http import Request

from . import queries, tickets
from .types import ReceiptCaller, TicketCaller

_BEARER = re.compile(r"Bearer ([A-Za-z0-9._-]{1,500})\Z")


def _shown(request: Request) -> str:
    match = _BEARER.match(request.headers.get("authorization", ""))
    if match is None:
        raise Unauthenticated
    return match[1]


class TicketGuard:
    """Lets in whoever has a ticket that we signed; whether it was used, the command says."""

    name = "ticket"
    scheme: str | None = "ticketBearer"
    may_forbid = False

    async def authenticate(self, request: Request) -> TicketCaller:
        """Somebody with a ticket. No rate key: a count by ticket or by address would be a trace."""
        read = tickets.read_ticket(_shown(request))
        if read is None:
            raise Unauthenticated
        key_id, nonce, signature = read
        key = (await queries.keys()).get(key_id)
        if key is None or not tickets.is_signed(key.private, key_id, nonce, signature):
            raise Unauthenticated("this ticket is not good, or not any more")
        return TicketCaller(key_id, nonce)


class ReceiptGuard:
    """Lets in whoever has a receipt. Wrong ones count against the address, as every failed log-in does."""

    name = "receipt"
    scheme: str | None = "receiptBearer"
    may_forbid = False

    async def authenticate(self, request: Request) -> ReceiptCaller:
        """The suggestion that the receipt leads to."""
        receipt = tickets.read_receipt(_shown(request))
        found = await queries.find_by_receipt(receipt) if receipt else None
        if found is None:
            raise Unauthenticated("there is no such receipt")
        return ReceiptCaller(found)


ticket = TicketGuard()
"""Whoever has a ticket; the caller is a ``TicketCaller``."""

receipt = ReceiptGuard()
"""Whoever has a receipt; the caller is a ``ReceiptCaller``."""
