"""A code by SMS that somebody waits for: sent at once, past letters and what members want, and kept nowhere."""

from __future__ import annotations

from backend.kernel import logging

from .. import channels
from ..channels import Outgoing, Refused, offered  # noqa: F401 - the drivers
from ..queries import addresses
from ..types import Channel, Purpose

log = logging.get(__name__)


def sms_possible() -> bool:
    """Whether this installation has an SMS gateway."""
    return channels.find(Channel.SMS) is not None


async def send_sms(delivery_id: str, member_id: int, text: str) -> bool:
    """Send a text to a member's phone, once for each ``delivery_id``; False where nobody is reached there.

    Raises ``TryAgain`` where the gateway cannot take it now. Not inside a transaction.
    """
    driver = channels.find(Channel.SMS)
    phone, why = await addresses.where(member_id, Channel.SMS)
    if driver is None or phone is None:
        log.warning("messages.code_not_sent", member_id=member_id, reason=why or "no_gateway")
        return False
    outgoing = Outgoing(
        delivery_id=delivery_id, member_id=member_id, address=phone, title="", body=text, purpose=Purpose.SERVICE
    )
    try:
        await driver.send(outgoing)
    except Refused as refused:
        log.warning("messages.code_not_sent", member_id=member_id, reason=refused.reason)
        return False
    return True
