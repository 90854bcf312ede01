"""What becomes of a delivery whose time has come: decided and written down in one transaction, before anything is sent.

One worker at a time decides (an advisory lock): how often a member is written to is counted across that member's
letters, and two of them may be due at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta

import msgspec

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.db import Tx

from .. import channels, queries, rules
from ..service import subscriptions
from ..types import BatchState, Channel, Purpose, State

AT_ONCE = 200
"""Deliveries that are decided in one transaction."""

LEASE = timedelta(minutes=5)
"""After this a delivery of which nothing was heard is looked at again: since it was marked, or handed over."""

COUNTED = timedelta(days=7)
_LOCK = 0x6D657373

_DUE_OF = (
    "SELECT d.member_id, d.letter_id, d.channel, d.purpose, d.state, d.attempts, d.batch_id, d.reserved,"
    " d.handed_at, l.template, l.version, l.title, l.body, l.link, l.given, l.passed_at FROM message_delivery d"
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
    batch_id: str | None
    reserved: str | None
    handed_at: datetime | None
    template: str
    version: int
    title: str
    body: str
    link: str | None
    given: dict[str, str]
    passed_at: datetime | None

    @property
    def under_way(self) -> bool:
        """Whether its channel was called, and nobody wrote down what came of it."""
        return self.state is State.SENDING and self.handed_at is not None


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of a due delivery: its next state, why, and when it is looked at again."""

    due: Due
    state: State
    reason: str | None = None
    next_at: datetime | None = None
    reserved: str | None = None

    @property
    def sent(self) -> Due:
        """The delivery with what was taken for it."""
        return msgspec.structs.replace(self.due, reserved=self.reserved)

    @property
    def goes(self) -> bool:
        """Whether it is sent, or shown."""
        return self.state in (State.SENDING, State.DELIVERED)


async def decide(now: datetime) -> list[Verdict]:
    """Take what is due, members' own affairs first, and write down what becomes of it."""
    async with db.transaction() as tx:
        await alone(tx)
        due = await _take(tx, now)
        if not due:
            return []
        asked = [(item.member_id, item.channel, item.purpose) for item in due]
        refused, passed = await queries.refused_in(tx, asked), await _count_passed(tx, due, now)
        subscribed = await _Subscribed.of(tx, due)
        judge = _Judge(now, refused, passed, await _halted(tx, due), subscribed)
        verdicts = [judge.verdict(item) for item in due]
        await _write(tx, verdicts, now)
        if subscribed.taken:
            await subscriptions.spend(tx, subscribed.taken, now)
    return verdicts


async def alone(tx: Tx) -> None:
    """Let nobody else decide before this transaction ends."""
    await db.raw(tx).execute("SELECT pg_advisory_xact_lock($1)", _LOCK)


async def _halted(tx: Tx, due: Sequence[Due]) -> dict[str, BatchState]:
    """Those of the batches that are not to be sent now, or any more."""
    batches = sorted({item.batch_id for item in due if item.batch_id is not None})
    if not batches:
        return {}
    rows = await db.fetch_in(
        tx, "SELECT id, state FROM message_batch WHERE id = ANY($1) AND state IN ('paused', 'cancelled')", batches
    )
    return {row["id"]: BatchState(row["state"]) for row in rows}


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


async def _count_passed(tx: Tx, due: Sequence[Due], now: datetime) -> Counter[tuple[int, Purpose]]:
    """How many letters of each purpose these members were sent lately."""
    asked = {item.member_id for item in due if rules.needs_consent(item.purpose)}
    rows = await db.fetch_in(
        tx,
        "SELECT member_id, purpose, count(*) FROM message_letter"
        " WHERE member_id = ANY($1) AND purpose <> 'service' AND passed_at > $2 GROUP BY member_id, purpose",
        sorted(asked),
        now - COUNTED,
    )
    return Counter({(row["member_id"], Purpose(row["purpose"])): row["count"] for row in rows})


class _Subscribed:
    """What the members of due deliveries may be sent through WeChat, and what of it is taken now."""

    def __init__(self, templates: dict[str, str | None], available: dict[subscriptions.Wanted, int]) -> None:
        self._templates = templates
        self._available = available
        self.taken: Counter[subscriptions.Wanted] = Counter()

    @classmethod
    async def of(cls, tx: Tx, due: Sequence[Due]) -> _Subscribed:
        """Locks the counts of the templates that these deliveries need."""
        asking = [item for item in due if item.channel is Channel.WECHAT and item.reserved is None]
        keys = {(item.template, item.version) for item in asking}
        names = {key: await _wechat_template(*key) for key in sorted(keys)}
        templates = {item.letter_id: names[item.template, item.version] for item in asking}
        wanted = [(item.member_id, name) for item in asking if (name := templates[item.letter_id]) is not None]
        return cls(templates, await subscriptions.lock_available(tx, wanted) if wanted else {})

    def take(self, due: Due) -> str | None:
        """The template at WeChat that the delivery is sent with, one of it spent; None where there is none to spend."""
        name = self._templates.get(due.letter_id)
        if name is None or self.taken[due.member_id, name] >= self._available.get((due.member_id, name), 0):
            return None
        self.taken[due.member_id, name] += 1
        return name

    def why_not(self, due: Due) -> str:
        """Why there was none to spend."""
        return "not_subscribed" if self._templates.get(due.letter_id) else "no_template"


async def _wechat_template(code: str, version: int) -> str | None:
    found = await queries.find_version(code, version)
    text = found.texts.get(Channel.WECHAT) if found else None
    return text.template_id if text else None


class _Judge:
    """Decides about deliveries one after another; a letter that passes counts for those behind it."""

    def __init__(
        self,
        now: datetime,
        refused: set[queries.Word],
        passed: Counter[tuple[int, Purpose]],
        halted: dict[str, BatchState],
        subscribed: _Subscribed,
    ) -> None:
        said = settings()
        self._halted = halted
        self._subscribed = subscribed
        self._now = now
        self._refused = refused
        self._passed = passed
        self._letters: set[str] = set()
        self._most = {
            Purpose.CARE: said.message_care_a_week,
            Purpose.SURVEY: said.message_survey_a_week,
            Purpose.MARKETING: said.message_marketing_a_week,
        }
        begins, ends = time.fromisoformat(said.message_quiet_from), time.fromisoformat(said.message_quiet_until)
        self._quiet_until = rules.quiet_until(now, begins, ends, clock.zone(said.timezone))
        self._tries = said.message_attempts

    def verdict(self, due: Due) -> Verdict:
        """What becomes of one."""
        return self._of_batch(due) or self._of_channel(due) or self._of_member(due) or self._goes(due)

    def _of_batch(self, due: Due) -> Verdict | None:
        """Whether its batch was stopped; what was under way goes on, for it may have arrived."""
        halted = self._halted.get(due.batch_id) if due.batch_id is not None and not due.under_way else None
        if halted is BatchState.CANCELLED:
            return Verdict(due, State.SUPPRESSED, "cancelled")
        return Verdict(due, State.QUEUED, "paused") if halted else None

    def _of_channel(self, due: Due) -> Verdict | None:
        if due.channel is Channel.INBOX:
            return None
        driver = channels.find(due.channel)
        if driver is None:
            return Verdict(due, State.SUPPRESSED, "channel_not_set_up")
        if due.under_way and not driver.repeats_safely:
            return Verdict(due, State.FAILED, "outcome_unknown")
        if due.attempts >= self._tries:
            return Verdict(due, State.FAILED, "too_many_tries")
        return None

    def _of_member(self, due: Due) -> Verdict | None:
        """Whether the member is not to be written to, or not now; what was under way may have arrived already."""
        if due.under_way:
            return None
        if (due.member_id, due.channel.value, due.purpose.value) in self._refused:
            return Verdict(due, State.SUPPRESSED, "no_consent")
        if not rules.needs_consent(due.purpose):
            return None
        if self._quiet_until is not None:
            return Verdict(due, State.QUEUED, "quiet_hours", self._quiet_until)
        most = self._most[due.purpose]
        new = due.passed_at is None and due.letter_id not in self._letters
        if most and new and self._passed[due.member_id, due.purpose] >= most:
            return Verdict(due, State.SUPPRESSED, "too_often")
        return None

    def _goes(self, due: Due) -> Verdict:
        reserved = due.reserved
        if due.channel is Channel.WECHAT and reserved is None:
            reserved = self._subscribed.take(due)
            if reserved is None:
                return Verdict(due, State.SUPPRESSED, self._subscribed.why_not(due))
        if due.passed_at is None and due.letter_id not in self._letters:
            self._letters.add(due.letter_id)
            self._passed[due.member_id, due.purpose] += 1
        if due.channel is Channel.INBOX:
            return Verdict(due, State.DELIVERED)
        return Verdict(due, State.SENDING, next_at=self._now + LEASE, reserved=reserved)


async def _write(tx: Tx, verdicts: Sequence[Verdict], now: datetime) -> None:
    await db.raw(tx).execute(
        "UPDATE message_delivery d SET state = v.state, reason = v.reason, next_at = v.next_at, updated_at = $7,"
        " attempts = d.attempts + (v.state = 'sending')::int,"
        " sent_at = CASE WHEN v.state = 'delivered' THEN $7 ELSE d.sent_at END,"
        " reserved = coalesce(d.reserved, v.reserved),"
        " handed_at = CASE WHEN v.state = 'sending' THEN NULL ELSE d.handed_at END"
        " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $8::text[])"
        " AS v (member_id, letter_id, channel, state, reason, next_at, reserved)"
        " WHERE d.member_id = v.member_id AND d.letter_id = v.letter_id AND d.channel = v.channel",
        [item.due.member_id for item in verdicts],
        [item.due.letter_id for item in verdicts],
        [item.due.channel.value for item in verdicts],
        [item.state.value for item in verdicts],
        [item.reason for item in verdicts],
        [item.next_at for item in verdicts],
        now,
        [item.reserved for item in verdicts],
    )
    goes = [item for item in verdicts if item.goes]
    shown = {item.due.letter_id for item in goes if item.due.channel is Channel.INBOX}
    letters = sorted({(item.due.member_id, item.due.letter_id) for item in goes})
    await db.raw(tx).execute(
        "UPDATE message_letter l SET passed_at = coalesce(l.passed_at, $4),"
        " shown_at = CASE WHEN v.shown THEN coalesce(l.shown_at, $4) ELSE l.shown_at END"
        " FROM unnest($1::bigint[], $2::text[], $3::bool[]) AS v (member_id, id, shown)"
        " WHERE l.member_id = v.member_id AND l.id = v.id",
        [member_id for member_id, _ in letters],
        [letter_id for _, letter_id in letters],
        [letter_id in shown for _, letter_id in letters],
        now,
    )
