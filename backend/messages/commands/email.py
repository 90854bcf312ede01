"""A member's e-mail address: written to only after a code that was sent there came back.

Otherwise anybody could have a stranger's mailbox written to. The code is sent outside of the transaction that stores
its digest: where sending fails, another is asked for.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from backend.kernel import clock, db, ids, limits
from backend.kernel.db import Record, Tx
from backend.kernel.vault import vault
from backend.members import service as members
from backend.members.types import Actor, ProfileField

from .. import channels
from ..channels import Outgoing, Refused, TryAgain, offered  # noqa: F401 - the drivers
from ..delivery import mail
from ..errors import EmailCodeInvalid, EmailInvalid, EmailUnavailable
from ..queries import addresses as known
from ..service import addresses
from ..types import Channel, Purpose, delivery_id

CODE_LIFE = timedelta(minutes=15)
MOST_TRIES = 5
CODES_AN_HOUR = 5


async def ask_for(member_id: int, text: str) -> None:
    """Send a code to an address, which waits for it to come back; one asked for before waits no more."""
    address = mail.mailbox(text)
    if address is None:
        raise EmailInvalid
    await members.check_own_change(member_id, ProfileField.EMAIL)
    driver = channels.find(Channel.EMAIL)
    if driver is None:
        raise EmailUnavailable
    await limits.hit(f"email-code:{member_id}", CODES_AN_HOUR, 3600)
    code = f"{secrets.randbelow(10**6):06}"
    await _remember(member_id, address, code)
    try:
        await driver.send(_letter(member_id, address, code))
    except Refused:
        raise EmailInvalid("the mail server does not take letters to this address") from None
    except TryAgain as again:
        raise EmailUnavailable(retry_after_s=int(again.after_s) or 1) from None


async def confirm(member_id: int, code: str) -> None:
    """Take the code that came to the address; from now on letters go there, also where earlier ones came back."""
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        right = await _try(tx, member_id, code)
    if not right:
        raise EmailCodeInvalid


async def forget(member_id: int) -> None:
    """Write to the member by e-mail no more, and forget the address; whatever members may change, they may do that."""
    async with db.transaction() as tx:
        await members.lock(tx, member_id)
        rows = await db.fetch_in(tx, "DELETE FROM message_email WHERE member_id = $1 RETURNING sealed", member_id)
        for row in rows:
            await _note(tx, member_id, row["sealed"], None)


async def _remember(member_id: int, address: str, code: str) -> None:
    now = clock.now()
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO message_email (member_id, pending_sealed, code_digest, code_until, updated_at)"
            " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (member_id) DO UPDATE SET pending_sealed = $2, code_digest = $3,"
            " code_until = $4, code_tries = 0, updated_at = $5",
            member_id,
            vault().seal(address.encode(), context=known.EMAIL_CONTEXT),
            _digest(member_id, code),
            now + CODE_LIFE,
            now,
        )


async def _try(tx: Tx, member_id: int, code: str) -> bool:
    """Whether the code is right; a wrong one is counted."""
    rows = await db.fetch_in(
        tx,
        "SELECT sealed, pending_sealed, code_digest, code_until, code_tries FROM message_email"
        " WHERE member_id = $1 AND code_digest IS NOT NULL FOR UPDATE",
        member_id,
    )
    if not rows or rows[0]["code_tries"] >= MOST_TRIES or rows[0]["code_until"] <= clock.now():
        return False
    if not hmac.compare_digest(rows[0]["code_digest"], _digest(member_id, code)):
        await db.raw(tx).execute("UPDATE message_email SET code_tries = code_tries + 1 WHERE member_id = $1", member_id)
        return False
    await _confirm(tx, member_id, rows[0])
    return True


async def _note(tx: Tx, member_id: int, before: str | None, after: str | None) -> None:
    """Keep what became of the address, both sealed."""
    was, new = (known.open_email(sealed) if sealed else None for sealed in (before, after))
    await members.changed(tx, member_id, by=Actor.member(member_id), changes={"email": (was, new)})


async def _confirm(tx: Tx, member_id: int, row: Record) -> None:
    if row["sealed"] is None or known.open_email(row["sealed"]) != known.open_email(row["pending_sealed"]):
        await members.check_own_change(member_id, ProfileField.EMAIL, tx)
    await _note(tx, member_id, row["sealed"], row["pending_sealed"])
    index = known.email_index(known.open_email(row["pending_sealed"]))
    await db.raw(tx).execute(
        "UPDATE message_email SET sealed = pending_sealed, address_index = $2, confirmed_at = $3, updated_at = $3,"
        " pending_sealed = NULL, code_digest = NULL, code_until = NULL, code_tries = 0 WHERE member_id = $1",
        member_id,
        index,
        clock.now(),
    )
    await addresses.revive(tx, Channel.EMAIL, index)


def _digest(member_id: int, code: str) -> str:
    return vault().blind_index(f"{member_id}:{code}", context="message_email.code")


def _letter(member_id: int, address: str, code: str) -> Outgoing:
    return Outgoing(
        delivery_id=delivery_id(ids.new_document_id("L", member_id), Channel.EMAIL),
        member_id=member_id,
        address=address,
        title="确认您的邮箱",
        body=f"您的验证码是 {code}，15 分钟内有效。\n如非本人操作，请忽略：没有验证码，我们不会给这个地址写信。",
        purpose=Purpose.SERVICE,
    )
