"""What callers are shown of e-mail addresses and replies."""

from __future__ import annotations

from .channel_schemas import EmailOut, ReplyOut
from .queries.addresses import Email
from .queries.replies import Reply


def email(found: Email | None) -> EmailOut:
    """A member's e-mail, masked."""
    if found is None:
        return EmailOut(None, None, None, False)
    return EmailOut(_masked(found.address), found.confirmed_at, _masked(found.pending), found.dead)


def _masked(address: str | None) -> str | None:
    """``l***@mail.example``."""
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"


def reply(found: Reply) -> ReplyOut:
    """What a member wrote back."""
    return ReplyOut(found.id, str(found.member_id), found.channel, found.text, found.stop, found.at)
