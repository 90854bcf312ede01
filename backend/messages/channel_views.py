"""What callers are shown of e-mail addresses, replies and labels."""

from __future__ import annotations

from .channel_schemas import EmailOut, LayoutOut, ReplyOut, SheetOut
from .delivery.labels import Layout
from .queries.addresses import Email
from .queries.replies import Reply
from .queries.sheets import Sheet


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


def layout(found: Layout) -> LayoutOut:
    """A sheet of labels."""
    return LayoutOut(found.code, found.name, found.columns, found.rows, found.width, found.height, found.letter)


def sheet(found: Sheet) -> SheetOut:
    """What was asked for, and how far it is."""
    return SheetOut(
        id=found.id,
        layout=found.layout,
        skip=found.skip,
        purpose=found.purpose,
        batch_id=found.batch_id,
        state=found.state,
        problem=found.problem,
        labels=found.labels,
        pages=found.pages,
        no_address=found.no_address,
        no_consent=found.no_consent,
        created_at=found.created_at,
        ended_at=found.ended_at,
    )
