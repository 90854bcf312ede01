"""What gateways and mail servers report: receipts, replies and bounces. Each is taken once, whatever comes again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from backend.kernel import clock, db
from backend.kernel.db import Tx
from backend.members import queries as members

from ..channel_schemas import ReceiptIn, ReplyIn
from ..delivery.bounces import Bounce
from ..service import addresses, record, set_consent
from ..service.recording import read_delivery_id
from ..types import Channel, Purpose, State

WITH_CONSENT = tuple(purpose for purpose in Purpose if purpose is not Purpose.SERVICE)
_STOPS = frozenset({"TD", "T", "N", "退订", "TD退订", "退订TD", "STOP", "UNSUBSCRIBE"})
_NOISE = re.compile(r"[\s!-/:-@\[-`{-~。，！？、·…【】]+")
_DEAD = frozenset({"number_invalid"})


def is_stop(text: str) -> bool:
    """Whether a reply asks for no more letters; any case, full width too, with 回 before it or signs around."""
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", text)).upper()
    return plain.removeprefix("回复").removeprefix("回") in _STOPS


async def take_receipts(items: Sequence[ReceiptIn]) -> int:
    """Write down what became of messages; returns how many were news."""
    taken = 0
    async with db.transaction() as tx:
        for item in sorted(items, key=lambda item: item.delivery_id):
            named = read_delivery_id(item.delivery_id)
            if named is None or named[2] is not Channel.SMS:
                continue
            taken += await _take_receipt(tx, item, named[0])
    return taken


async def _take_receipt(tx: Tx, item: ReceiptIn, member_id: int) -> bool:
    now = clock.now()
    if item.state == "delivered":
        return await record(tx, item.delivery_id, State.DELIVERED, at=now)
    dead = item.reason in _DEAD
    state = State.BOUNCED if dead else State.FAILED
    moved = await record(tx, item.delivery_id, state, at=now, reason=item.reason or "not_delivered")
    if moved and dead and (index := await members.find_phone_index(member_id)):
        await addresses.mark_dead(tx, Channel.SMS, index, item.reason or "", now)
    return moved


async def take_bounce(bounce: Bounce) -> bool:
    """Write down that a letter came back; a dead address is written to no more. False where that was known."""
    if not bounce.failed:
        return False
    named = read_delivery_id(bounce.delivery_id)
    if named is None:
        return False
    now = clock.now()
    reason = "unknown_address" if bounce.dead else f"status_{bounce.status}"
    async with db.transaction() as tx:
        if not await record(tx, bounce.delivery_id, State.BOUNCED, at=now, reason=reason):
            return False
        if bounce.dead and (index := await addresses.find_email_index(tx, named[0])):
            await addresses.mark_dead(tx, Channel.EMAIL, index, reason, now)
    return True


async def take_replies(items: Sequence[ReplyIn]) -> int:
    """Keep what members wrote back, and end what they want no more; returns how many were news."""
    by_number = {item.phone: await members.find_id_by_phone(item.phone) for item in items}
    taken = 0
    async with db.transaction() as tx:
        for item in sorted(items, key=lambda item: item.id):
            member_id = by_number[item.phone]
            if member_id is not None:
                taken += await _take_reply(tx, item, member_id)
    return taken


async def _take_reply(tx: Tx, item: ReplyIn, member_id: int) -> bool:
    stop, now = is_stop(item.text), clock.now()
    new = await db.fetch_in(
        tx,
        "INSERT INTO message_reply (id, member_id, channel, text, stop, at, taken_at, letter_id)"
        " VALUES ($1, $2, $3::text, $4, $5, $6, $7, (SELECT letter_id FROM message_delivery WHERE member_id = $2"
        "   AND channel = $3::text AND sent_at <= $7 ORDER BY sent_at DESC LIMIT 1))"  # an SMS says not what it answers
        " ON CONFLICT (id) DO NOTHING RETURNING 1",
        item.id,
        member_id,
        Channel.SMS.value,
        item.text,
        stop,
        item.at if item.at.year in clock.YEARS else now,  # of another zone it may be none of the calendar's
        now,
    )
    if new and stop:
        for purpose in WITH_CONSENT:
            await set_consent(tx, member_id, Channel.SMS, purpose, granted=False, by="reply")
    return bool(new)


async def unsubscribe(member_id: int, channel: Channel, purposes: Sequence[Purpose]) -> None:
    """End what a link of a letter says, at once; asking again changes nothing."""
    async with db.transaction() as tx:
        for purpose in sorted(purposes):
            await set_consent(tx, member_id, channel, purpose, granted=False, by="link")


async def sweep() -> None:
    """Forget who followed links after 30 days (that somebody did is kept), and nonces after a day."""
    now = clock.now()
    await db.pool().execute(
        "UPDATE message_touch SET client = '' WHERE client <> '' AND at < $1::timestamptz - interval '30 days'", now
    )
    await db.pool().execute("DELETE FROM message_nonce WHERE at < $1::timestamptz - interval '1 day'", now)
