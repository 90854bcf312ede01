"""Where members are reached by e-mail and SMS, and what of it nobody is reached by any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from backend.kernel import db
from backend.kernel.vault import vault
from backend.members import queries as members

from ..types import Channel

EMAIL_CONTEXT = "message_email.sealed"
"""The vault's context of e-mail addresses and of their index."""


class Email(msgspec.Struct, frozen=True):
    """A member's e-mail: the confirmed address, the one that waits for its code, and whether letters come back."""

    address: str | None
    confirmed_at: datetime | None
    pending: str | None
    dead: bool

    def __repr__(self) -> str:
        return "<email>"


def email_index(address: str) -> str:
    """What an e-mail address is found by."""
    return vault().blind_index(address.lower(), context=EMAIL_CONTEXT)


def open_email(sealed: str) -> str:
    """The address in a row."""
    return vault().open(sealed, context=EMAIL_CONTEXT).decode()


async def list_addresses(member_ids: Collection[int]) -> dict[int, str]:
    """The confirmed addresses of these members; who has none is absent."""
    rows = await db.fetch(
        "SELECT member_id, sealed FROM message_email WHERE member_id = ANY($1::bigint[]) AND sealed IS NOT NULL",
        list(member_ids),
    )
    return {row["member_id"]: open_email(row["sealed"]) for row in rows}


async def find_email(member_id: int) -> Email | None:
    """What is known of a member's e-mail, or None."""
    row = await db.fetchrow(
        "SELECT e.sealed, e.confirmed_at, e.pending_sealed, d.at IS NOT NULL AS dead FROM message_email e"
        " LEFT JOIN message_dead_address d ON d.channel = 'email' AND d.address_index = e.address_index"
        " WHERE e.member_id = $1",
        member_id,
    )
    if row is None:
        return None
    return Email(
        open_email(row["sealed"]) if row["sealed"] else None,
        row["confirmed_at"],
        open_email(row["pending_sealed"]) if row["pending_sealed"] else None,
        row["dead"],
    )


async def where(member_id: int, channel: Channel) -> tuple[str | None, str]:
    """The address for a letter by e-mail or SMS, or None and why there is none."""
    if channel is Channel.EMAIL:
        email = await find_email(member_id)
        if email is None or email.address is None:
            return None, "no_address"
        return (None, "dead_address") if email.dead else (email.address, "")
    phone = await members.find_phone(member_id)
    if phone is None:
        return None, "no_address"
    dead = await db.fetchval(
        "SELECT true FROM message_dead_address WHERE channel = 'sms' AND address_index = $1",
        members.phone_index(phone),
    )
    return (None, "dead_address") if dead else (phone, "")
