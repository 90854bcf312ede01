"""Links of staff by e-mail, for ``auth``, which has no mail: written at once, kept nowhere, followed by nobody.

Importing this module registers it.
"""

from __future__ import annotations

import msgspec

from backend.auth import service as auth
from backend.kernel import ids, logging
from backend.kernel.config import settings

from .channels import Outgoing, Refused, TryAgain
from .channels.email import Smtp
from .delivery import mail
from .types import Channel, Purpose, delivery_id

log = logging.get(__name__)


def _can(address: str) -> bool:
    return bool(settings().smtp_url) and mail.mailbox(address) is not None


async def _send(address: str, title: str, text: str) -> bool:
    """Hand the letter to the mail server; its link is not made one that is counted."""
    driver = Smtp(msgspec.structs.replace(settings(), message_tracking=False))
    letter = Outgoing(
        delivery_id=delivery_id(ids.new_document_id("L", 0), Channel.EMAIL),
        member_id=0,
        address=address,
        title=title,
        body=text,
        purpose=Purpose.SERVICE,
    )
    try:
        await driver.send(letter)
    except (Refused, TryAgain) as error:
        log.warning("messages.staff_link_not_sent", reason=error.reason)
        return False
    finally:
        await driver.aclose()
    return True


auth.send_links_by(_send, _can)
