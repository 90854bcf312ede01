"""Sends what is due: what was decided and marked is handed to its channel, and what the channel says is recorded.

A delivery is ``sending`` and committed before its channel is called, and ``handed_at`` at the moment of the call. Where
a worker died in between, the next one finds it after ``deciding.LEASE``: what was not handed over is sent; what was is
sent again where the channel knows a repeat, and has failed where nobody can say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

from backend.auth import queries as auth
from backend.kernel import clock, db, jobs, live, logging
from backend.kernel.config import settings
from backend.members import queries as members
from backend.members.types import Named

from .. import channels, queries, rules
from ..channels import Outgoing, Refused, Sent, TryAgain
from ..delivery import links
from ..queries import addresses
from ..service import rendering, subscriptions
from ..service.sending import JOB
from ..types import Channel, State, Template, delivery_id
from . import filling
from .deciding import LEASE, Due, Verdict, decide

log = logging.get(__name__)

SENDERS = 8
"""Calls to channels that are under way at once."""

ROUNDS = 2000
SEND_WITHIN_S = 60.0

_DECLINED = "declined"
"""WeChat's word (43101) that the member did not subscribe."""

_NOT_ASKED = frozenset({"no_address", "no_template", "misconfigured"})
"""After these WeChat was certainly not sent anything."""


_under_way = False
_asked_again = False


async def run(within_s: float) -> None:
    """Send what is due for so long at most, and queue the rest: a batch of hours leaves other jobs their turn.

    One run at a time in a process; who asks meanwhile is heard by the one under way.
    """
    global _under_way, _asked_again
    if _under_way:
        _asked_again = True
        return
    _under_way, until = True, monotonic() + within_s
    try:
        while True:
            _asked_again = False
            await deliver_due(until=until)
            if monotonic() >= until or not _asked_again:
                break
    finally:
        _under_way = False
    if monotonic() >= until:
        async with db.transaction() as tx:
            await jobs.defer(tx, JOB, unique=JOB)


async def deliver_due(*, until: float | None = None) -> int:
    """Send whatever is due, members' own affairs first, then further letters of batches; returns how many it were.

    ``until``: begin nothing more after that moment (``time.monotonic``).
    """
    looked_at = 0
    for _ in range(ROUNDS):
        if until is not None and monotonic() >= until:
            break
        verdicts = await decide(clock.now())
        if not verdicts and not await filling.fill(clock.now()):
            break
        looked_at += len(verdicts)
        _tell_phones(verdicts)
        await _send_all([verdict.sent for verdict in verdicts if verdict.state is State.SENDING])
    return looked_at


def _tell_phones(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        if verdict.state is State.DELIVERED:
            due = verdict.due
            live.push(due.member_id, "message", {"id": due.letter_id, "kind": due.template, "title": due.title})


async def _send_all(due: Sequence[Due]) -> None:
    """Hand over what was marked, a few at once; each answer is recorded as it comes."""
    if not due:
        return
    room, texts = asyncio.Semaphore(SENDERS), await _Texts.of(due)

    async def one(item: Due) -> None:
        async with room:
            await _send(item, texts)

    async with asyncio.TaskGroup() as group:
        for item in due:
            group.create_task(one(item))


class _Texts:
    """What letters say: their templates in the versions that they were written with, and what is read off members."""

    def __init__(self, templates: dict[tuple[str, int], Template | None], named: dict[int, Named]) -> None:
        self._templates = templates
        self._named = named

    @classmethod
    async def of(cls, due: Sequence[Due]) -> _Texts:
        """Reads each template and each member of these deliveries once."""
        keys = {(item.template, item.version) for item in due}
        templates = {key: await queries.find_version(*key) for key in sorted(keys)}
        personal = {key for key, template in templates.items() if template and rendering.is_personal(template)}
        asked = sorted({item.member_id for item in due if (item.template, item.version) in personal})
        return cls(templates, await members.list_named(asked) if asked else {})

    def said(self, due: Due) -> rules.Said:
        """The channel's text; the inbox's where the letter's version of it is gone."""
        template = self._templates[due.template, due.version]
        if template is None:
            return rules.Said(due.title, due.body)
        try:
            values = rendering.values(template, due.given, self._named.get(due.member_id))
            return rules.said(template, due.channel, values)
        except (KeyError, ValueError):  # a built-in whose variables are others now
            return rules.Said(due.title, due.body)


async def _send(due: Due, texts: _Texts) -> None:
    driver = channels.find(due.channel)
    address, lacking = await _address(due)
    if driver is None or address is None:
        await _settle(due, "no_address")
        await _record(due, State.SUPPRESSED, reason=lacking if driver else "channel_not_set_up")
        return
    outgoing = _outgoing(due, address, texts.said(due))
    if not await _hand(due):
        return
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            sent = await driver.send(outgoing)
    except Refused as refused:
        await _settle(due, refused.reason)
        await _record(due, State.BOUNCED if refused.bounced else State.FAILED, reason=refused.reason)
    except TryAgain as again:
        await _again(due, again.after_s, again.reason)
    except Exception as error:  # a driver's mistake must not stop the others' letters
        log.warning("messages.driver_failed", channel=due.channel.value, error=type(error).__name__)
        if driver.repeats_safely:
            await _again(due, 0.0, "driver_failed")
        else:
            await _record(due, State.FAILED, reason="outcome_unknown")
    else:
        await _record(due, State.DELIVERED if sent.delivered else State.SENT, sent=sent)


async def _hand(due: Due) -> bool:
    """Mark that the channel is called now; False where another worker has taken the delivery meanwhile.

    Of what was only marked to be sent when a worker died it is known that it did not go, so that it is sent later.
    """
    now = clock.now()
    return bool(
        await db.fetchval(
            "UPDATE message_delivery SET handed_at = $5, next_at = $6 WHERE member_id = $1 AND letter_id = $2"
            " AND channel = $3 AND attempts = $4 AND state = 'sending' RETURNING true",
            due.member_id,
            due.letter_id,
            due.channel.value,
            due.attempts + 1,
            now,
            now + LEASE,
        )
    )


async def _settle(due: Due, reason: str) -> None:
    """Put the count of WeChat's subscribe messages right after one that was not sent."""
    if due.reserved is None:
        return
    if reason == _DECLINED:
        await subscriptions.set_to_zero(due.member_id, due.reserved, clock.now())
    elif reason in _NOT_ASKED:
        await subscriptions.give_back(due.member_id, due.reserved, clock.now())


def _outgoing(due: Due, address: str, said: rules.Said) -> Outgoing:
    return Outgoing(
        delivery_id=delivery_id(due.letter_id, due.channel),
        member_id=due.member_id,
        address=address,
        title=said.title,
        body=said.body,
        purpose=due.purpose,
        link=due.link,
        template_id=said.template_id,
        fields=said.fields,
        unsubscribe_url=links.unsubscribe_url(settings().base_url, due.letter_id, due.channel, due.purpose),
    )


async def _address(due: Due) -> tuple[str | None, str]:
    """Where the letter goes, or None and why that is nowhere."""
    if due.channel is Channel.WECHAT:
        return await auth.find_openid(due.member_id), "no_address"
    return await addresses.where(due.member_id, due.channel)


async def _again(due: Due, after_s: float, reason: str) -> None:
    """Put it back for a later try, or give it up: so many tries, and no more."""
    tries = due.attempts + 1
    if tries >= settings().message_attempts:
        await _settle(due, reason)
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
        " state = CASE WHEN state = 'sending' THEN $5::text ELSE state END,"
        " reason = CASE WHEN state = 'sending' THEN $8::text ELSE reason END,"
        " next_at = CASE WHEN state = 'sending' THEN $9::timestamptz ELSE next_at END,"
        " sent_at = CASE WHEN $5::text IN ('sent', 'delivered') THEN coalesce(sent_at, $7) ELSE sent_at END"
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
