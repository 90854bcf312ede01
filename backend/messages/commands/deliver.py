"""Sends what is due: decides and marks in a transaction, calls the channel outside of it, records what it said.

A delivery is ``sending`` and committed before its channel is called. Where a worker died in between, the next one finds
it after ``LEASE``: it is sent again where the channel knows a repeat, and has failed where nobody can say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from backend.auth import queries as auth
from backend.kernel import clock, db, live, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.members import queries as members

from .. import channels, queries, rules
from ..channels import Outgoing, Refused, Sent, TryAgain
from ..types import Channel, Purpose, State, delivery_id

log = logging.get(__name__)

AT_ONCE = 200
"""Deliveries that are decided in one transaction."""

SENDERS = 8
"""Calls to channels that are under way at once."""

ROUNDS = 2000
LEASE = timedelta(minutes=5)
SEND_WITHIN_S = 60.0
LOCK = 0x6D657373
"""The advisory lock under which one worker at a time decides: how often a member is written to is counted across its
letters."""

_DUE_OF = (
    "SELECT d.member_id, d.letter_id, d.channel, d.purpose, d.state, d.attempts, l.template, l.version, l.title,"
    " l.body, l.link, l.given, l.passed_at FROM message_delivery d"
    " JOIN message_letter l ON l.member_id = d.member_id AND l.id = d.letter_id"
    " WHERE d.state IN ('queued', 'sending') AND d.channel <> 'post' AND d.next_at <= $1"
    " AND d.purpose {} 'service'"  # in the text: each has its index
    " ORDER BY d.next_at, d.member_id, d.letter_id, d.channel LIMIT $2 FOR UPDATE OF d SKIP LOCKED"
)
_DUE_SERVICE, _DUE_OTHER = _DUE_OF.format("="), _DUE_OF.format("<>")


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose time has come, with its letter."""

    member_id: int
    letter_id: str
    channel: Channel
    purpose: Purpose
    state: State
    attempts: int
    template: str
    version: int
    title: str
    body: str
    link: str | None
    given: dict[str, str]
    passed_at: datetime | None


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a due delivery: its next state, why, and when it is looked at again."""

    due: Due
    state: State
    reason: str | None = None
    next_at: datetime | None = None


async def deliver_due() -> int:
    """Send whatever is due, members' own affairs first; returns how many deliveries were looked at."""
    looked_at = 0
    for _ in range(ROUNDS):
        verdicts = await _decide(clock.now())
        if not verdicts:
            break
        looked_at += len(verdicts)
        _tell_phones(verdicts)
        await _send_all([verdict.due for verdict in verdicts if verdict.state is State.SENDING])
    return looked_at


async def _decide(now: datetime) -> list[Verdict]:
    """Take what is due and write down what becomes of it."""
    async with db.transaction() as tx:
        await db.raw(tx).execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        due = await _take(tx, now)
        if not due:
            return []
        refused = await queries.refused_in(tx, [(item.member_id, item.channel, item.purpose) for item in due])
        verdicts = [_verdict(item, refused, now) for item in due]
        await _write(tx, verdicts, now)
    return verdicts


async def _take(tx: Tx, now: datetime) -> list[Due]:
    rows = await db.fetch_in(tx, _DUE_SERVICE, now, AT_ONCE) or await db.fetch_in(tx, _DUE_OTHER, now, AT_ONCE)
    return [
        Due(
            **dict(row)
            | {
                "channel": Channel(row["channel"]),
                "purpose": Purpose(row["purpose"]),
                "state": State(row["state"]),
                "given": msgspec.json.decode(row["given"], type=dict[str, str]),
            }
        )
        for row in rows
    ]


def _verdict(due: Due, refused: set[queries.Word], now: datetime) -> Verdict:
    if due.channel is not Channel.INBOX:
        driver = channels.find(due.channel)
        if driver is None:
            return Verdict(due, State.SUPPRESSED, "channel_not_set_up")
        if due.state is State.SENDING and not driver.repeats_safely:
            return Verdict(due, State.FAILED, "outcome_unknown")
        if due.attempts >= settings().message_attempts:
            return Verdict(due, State.FAILED, "too_many_tries")
    if due.state is State.QUEUED and (due.member_id, due.channel.value, due.purpose.value) in refused:
        return Verdict(due, State.SUPPRESSED, "no_consent")
    if due.channel is Channel.INBOX:
        return Verdict(due, State.DELIVERED)
    return Verdict(due, State.SENDING, next_at=now + LEASE)


async def _write(tx: Tx, verdicts: Sequence[Verdict], now: datetime) -> None:
    keys = [
        [item.due.member_id for item in verdicts],
        [item.due.letter_id for item in verdicts],
        [item.due.channel.value for item in verdicts],
    ]
    await db.raw(tx).execute(
        "UPDATE message_delivery d SET state = v.state, reason = v.reason, next_at = v.next_at, updated_at = $7,"
        " attempts = d.attempts + (v.state = 'sending')::int,"
        " sent_at = CASE WHEN v.state = 'delivered' THEN $7 ELSE d.sent_at END"
        " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])"
        " AS v (member_id, letter_id, channel, state, reason, next_at)"
        " WHERE d.member_id = v.member_id AND d.letter_id = v.letter_id AND d.channel = v.channel",
        *keys,
        [item.state.value for item in verdicts],
        [item.reason for item in verdicts],
        [item.next_at for item in verdicts],
        now,
    )
    shown = [item.due for item in verdicts if item.state is State.DELIVERED]
    gone = [item.due for item in verdicts if item.state in (State.DELIVERED, State.SENDING)]
    await db.raw(tx).execute(
        "UPDATE message_letter l SET passed_at = coalesce(l.passed_at, $3),"
        " shown_at = CASE WHEN l.id = ANY($4) THEN coalesce(l.shown_at, $3) ELSE l.shown_at END"
        " FROM unnest($1::bigint[], $2::text[]) AS v (member_id, id) WHERE l.member_id = v.member_id AND l.id = v.id",
        [item.member_id for item in gone],
        [item.letter_id for item in gone],
        now,
        [item.letter_id for item in shown],
    )


def _tell_phones(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.state is State.DELIVERED:
            live.push(verdict.due.member_id, "message", {"id": verdict.due.letter_id})


async def _send_all(due: Sequence[Due]) -> None:
    """Hand over what was marked, a few at once; each answer is recorded as it comes."""
    room = asyncio.Semaphore(SENDERS)

    async def one(item: Due) -> None:
        async with room:
            await _send(item)

    async with asyncio.TaskGroup() as group:
        for item in due:
            group.create_task(one(item))


async def _send(due: Due) -> None:
    driver = channels.find(due.channel)
    address = await _address(due)
    if driver is None or address is None:
        await _record(due, State.SUPPRESSED, reason="no_address" if driver else "channel_not_set_up")
        return
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            sent = await driver.send(_outgoing(due, address))
    except Refused as refused:
        await _record(due, State.BOUNCED if refused.bounced else State.FAILED, reason=refused.reason)
    except TryAgain as again:
        await _again(due, again.after_s, again.reason)
    except Exception as error:  # a driver's mistake must not stop the others' letters
        log.warning("messages.driver_failed", channel=due.channel.value, error=type(error).__name__)
        await _again(due, 0.0, "driver_failed")
    else:
        await _record(due, State.DELIVERED if sent.delivered else State.SENT, sent=sent)


def _outgoing(due: Due, address: str) -> Outgoing:
    return Outgoing(
        delivery_id=delivery_id(due.letter_id, due.channel),
        member_id=due.member_id,
        address=address,
        title=due.title,
        body=due.body,
        purpose=due.purpose,
        link=due.link,
    )


async def _address(due: Due) -> str | None:
    if due.channel is Channel.SMS:
        return await members.find_phone(due.member_id)
    if due.channel is Channel.WECHAT:
        return await auth.find_openid(due.member_id)
    return None


async def _again(due: Due, after_s: float, reason: str) -> None:
    """Put it back for a later try, or give it up: so many tries, and no more."""
    tries = due.attempts + 1
    if tries >= settings().message_attempts:
        await _record(due, State.FAILED, reason=reason)
        return
    next_at = clock.now() + timedelta(seconds=rules.retry_after_s(tries, after_s))
    await _record(due, State.QUEUED, reason=reason, next_at=next_at)


async def _record(
    due: Due, state: State, *, reason: str | None = None, sent: Sent | None = None, next_at: datetime | None = None
) -> None:
    """Write down what the channel said of this try; a later try's word, or the member's, is not undone."""
    await db.fetchval(
        "UPDATE message_delivery SET updated_at = $7, provider_id = coalesce($6, provider_id),"
        " state = CASE WHEN state = 'sending' THEN $5 ELSE state END,"
        " reason = CASE WHEN state = 'sending' THEN $8 ELSE reason END,"
        " next_at = CASE WHEN state = 'sending' THEN $9::timestamptz ELSE next_at END,"
        " sent_at = CASE WHEN $5 IN ('sent', 'delivered') THEN coalesce(sent_at, $7) ELSE sent_at END"
        " WHERE member_id = $1 AND letter_id = $2 AND channel = $3 AND attempts = $4 RETURNING 1",
        due.member_id,
        due.letter_id,
        due.channel.value,
        due.attempts + 1,
        state.value,
        (sent.provider_id or None) if sent else None,
        clock.now(),
        reason,
        next_at,
    )
