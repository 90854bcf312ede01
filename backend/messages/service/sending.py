"""Writing letters: once for each member, template and ``once``, in the transaction of what they tell about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from backend.kernel import clock, db, events, ids, jobs
from backend.kernel.db import Tx
from backend.members import queries as members

from .. import rules
from ..events import LetterShown
from ..types import Channel, Letter, Template
from . import rendering
from .recording import LETTER_PREFIX

JOB = "messages.deliver"


class _Written(msgspec.Struct, frozen=True):
    """A letter as its row will be."""

    id: str
    letter: Letter
    template: Template
    title: str
    body: str
    send_at: datetime
    shown: bool


async def send(tx: Tx, letters: Iterable[Letter], *, batch_id: str | None = None) -> int:
    """Write letters in this transaction; returns how many were not there before. Whoever was merged into another gets
    none: the other does.

    One about the member's own affair stands in the inbox at once; all else goes by a job. Locks the letters' keys in
    order. ``KeyError`` for a template that is not there or a variable without a value, ``ValueError`` for a value that
    is none of its kind.
    """
    now = clock.now()
    wanted = list(letters)
    if not wanted:
        return 0
    now_of = await members.current_ids({letter.member_id for letter in wanted})
    wanted = sorted(
        (msgspec.structs.replace(one, member_id=now_of.get(one.member_id, one.member_id)) for one in wanted),
        key=lambda letter: (letter.member_id, letter.template, letter.once),
    )
    values = await rendering.values_of(wanted)
    written = [_write(letter, template, said, now) for letter, template, said in values]
    new = await _insert(tx, written, now, batch_id)
    await _insert_deliveries(tx, new, now, batch_id)
    shown = [item for item in new if item.shown]
    await events.publish_many(tx, [LetterShown(member_id=x.letter.member_id, letter_id=x.id) for x in shown])
    due = [item.send_at for item in new if not item.shown or len(item.template.channels) > 1]
    if any(at <= now for at in due):
        await jobs.defer(tx, JOB, unique=JOB)
    return len(new)


def _write(letter: Letter, template: Template, values: Mapping[str, str], now: datetime) -> _Written:
    if not 0 < len(letter.once) <= rules.MOST_ONCE:
        raise ValueError("once: is too long, or says nothing")
    if letter.link is not None and not rules.is_link(letter.link):
        raise ValueError("link: is no address of the phone page")
    said = rules.said(template, Channel.INBOX, values)
    return _Written(
        ids.new_document_id(LETTER_PREFIX, letter.member_id),
        letter,
        template,
        said.title,
        said.body,
        max(letter.send_at or now, now),
        rules.shown_at_once(template.purpose, template.channels, letter.send_at, now),
    )


async def _insert(tx: Tx, written: Sequence[_Written], now: datetime, batch_id: str | None) -> list[_Written]:
    """The letters' rows; those that were new."""
    rows = await db.fetch_in(
        tx,
        "INSERT INTO message_letter (member_id, id, template, version, once, purpose, title, body, link, given,"
        " send_at, shown_at, at, batch_id)"
        " SELECT member_id, id, template, version, once, purpose, title, body, link, given::jsonb, send_at,"
        " CASE WHEN shown THEN $13::timestamptz END, $13, $14"
        " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],"
        " $9::text[], $10::text[], $11::timestamptz[], $12::bool[]) WITH ORDINALITY AS l"
        " (member_id, id, template, version, once, purpose, title, body, link, given, send_at, shown, place)"
        " ORDER BY place ON CONFLICT (member_id, template, once) DO NOTHING RETURNING id",
        [item.letter.member_id for item in written],
        [item.id for item in written],
        [item.template.code for item in written],
        [item.template.version for item in written],
        [item.letter.once for item in written],
        [item.template.purpose.value for item in written],
        [item.title for item in written],
        [item.body for item in written],
        [item.letter.link for item in written],
        [msgspec.json.encode(item.letter.values).decode() for item in written],
        [item.send_at for item in written],
        [item.shown for item in written],
        now,
        batch_id,
    )
    new = {row["id"] for row in rows}
    return [item for item in written if item.id in new]


async def _insert_deliveries(tx: Tx, new: Sequence[_Written], now: datetime, batch_id: str | None) -> None:
    """One for each channel; what stands in the inbox already has arrived."""
    pairs = [(item, channel) for item in new for channel in item.template.channels]
    there = [item.shown and channel is Channel.INBOX for item, channel in pairs]
    await db.raw(tx).execute(
        "INSERT INTO message_delivery (member_id, letter_id, channel, purpose, state, next_at, sent_at, updated_at,"
        " batch_id)"
        " SELECT member_id, letter_id, channel, purpose, CASE WHEN there THEN 'delivered' ELSE 'queued' END,"
        " CASE WHEN NOT there THEN next_at END, CASE WHEN there THEN $7::timestamptz END, $7, $8"
        " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bool[])"
        " AS d (member_id, letter_id, channel, purpose, next_at, there)",
        [item.letter.member_id for item, _ in pairs],
        [item.id for item, _ in pairs],
        [channel.value for _, channel in pairs],
        [item.template.purpose.value for item, _ in pairs],
        [item.send_at for item, _ in pairs],
        there,
        now,
        batch_id,
    )
