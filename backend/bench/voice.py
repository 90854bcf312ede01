"""What members said and were told: letters, cases, suggestions, surveys, conversations and care, for a contact card.

The first members have a shelf full of each, the others a handful; nothing of it is real but the shapes and the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from backend.kernel import clock, db
from backend.kernel.config import Settings

from .history import HEAVY
from .load import copy
from .paths import Rows
from .population import ZONE, Member, Population

BOXES, SURVEYS, PLANS = 4, 40, 6
_BETWEEN = timedelta(hours=7)
"""From one thing to the next of its kind."""


class Amount(msgspec.Struct, frozen=True):
    """How many of each a member has; ``messages`` is what was said in the one conversation."""

    letters: int
    cases: int
    suggestions: int
    surveys: int
    messages: int
    tasks: int


USUAL = Amount(letters=20, cases=1, suggestions=1, surveys=3, messages=6, tasks=4)


def amount_of(entries: int) -> Amount:
    """What a member with so many entries has: somebody who buys every day for years also says much."""
    return Amount(
        letters=entries // 5,
        cases=entries // 50,
        suggestions=entries // 50,
        surveys=min(SURVEYS, entries // 50),
        messages=entries // 5,
        tasks=entries // 20,
    )


async def load(
    settings: Settings, population: Population, members: int, *, entries: int, staff_id: int, now: datetime
) -> Amount:
    """Fill it in for all members; ``staff_id`` administers every second box. Returns what the first members have."""
    most = amount_of(entries)
    found: Rows = _shared(staff_id, now)
    for member in map(population.member, range(members)):
        for table, (columns, records) in _of(member, most if member.number < HEAVY else USUAL, now).items():
            found.setdefault(table, (columns, []))[1].extend(records)
    owner = await asyncpg.connect(**db.connect_args(settings.migrate_database_url))
    try:
        async with owner.transaction():
            for table, (columns, records) in found.items():
                await copy(owner, table, columns, records)
    finally:
        await owner.close()
    return most


def _shared(staff_id: int, now: datetime) -> Rows:
    boxes = [f"VB{number}" for number in range(BOXES)]
    return {
        "suggestion_box": (
            ("id", "title", "topic", "state", "anonymous", "version", "created_at", "updated_at"),
            [(box, f"基准意见箱 {box}", "基准", "open", True, 1, now, now) for box in boxes],
        ),
        "suggestion_box_admin": (("box_id", "staff_id"), [(box, staff_id) for box in boxes[::2]]),
        "survey_project": (("id", "name", "note", "archived", "created_at", "updated_at"),
                           [("VP", "基准", "", False, now, now)]),
        "survey": (
            ("id", "project_id", "title", "state", "anonymous", "version", "draft", "audience", "quotas",
             "created_at", "updated_at", "published_at"),
            [(f"VS{n}", "VP", f"基准问卷 {n}", "closed", False, 1, "{}", "{}", "[]", now, now, now)
             for n in range(SURVEYS)],
        ),
        "care_plan": (
            ("id", "title", "note", "state", "audience", "trigger", "how", "hour", "due_days", "holdout_bp",
             "window_days", "version", "seed", "created_at", "updated_at", "request_hash"),
            [(f"VC{n}", f"基准关怀 {n}", "", "ended", "{}", '{"on": "birthday"}', "call", 9, 3, 0, 14, 1, b"", now, now,
              b"") for n in range(PLANS)],
        ),
    }  # fmt: skip


def _of(member: Member, amount: Amount, now: datetime) -> Rows:
    return {
        **_letters(member, amount.letters, now),
        **_cases(member, amount.cases, now),
        **_suggestions(member, amount.suggestions, now),
        **_surveys(member, amount.surveys, now),
        **_conversation(member, amount.messages, now),
        **_tasks(member, amount.tasks, now),
    }


def _times(count: int, now: datetime) -> Iterator[tuple[int, datetime]]:
    """``(number, instant)`` of so many things, the newest first."""
    return ((number, now - _BETWEEN * (number + 1)) for number in range(count))


def _letters(member: Member, count: int, now: datetime) -> Rows:
    columns = ("member_id", "id", "template", "version", "once", "purpose", "title", "body", "at", "send_at",
               "shown_at", "read_at")  # fmt: skip
    return {
        "message_letter": (
            columns,
            [
                (
                    member.id,
                    f"VL{n}",
                    "bench",
                    0,
                    f"{n}",
                    "service",
                    "基准消息",
                    "基准内容",
                    at,
                    at,
                    at,
                    at if n % 4 else None,
                )
                for n, at in _times(count, now)
            ],
        )
    }


def _cases(member: Member, count: int, now: datetime) -> Rows:
    columns = ("id", "kind", "channel", "state", "priority", "member_id", "store_id", "reference", "sku", "excerpt",
               "round", "since", "due_at", "created_at", "updated_at", "closed_at", "outcome", "compensation",
               "rating_text", "version")  # fmt: skip

    def row(n: int, at: datetime) -> tuple[Any, ...]:
        over = n >= 3
        state, closed = ("closed", at) if over else ("received", None)
        return (f"VF{member.number}-{n}", "opinion", "miniapp", state, "normal", member.id, member.store_id, "", "",
                "基准反馈", 1, at, at + _BETWEEN, at, at, closed, "solved" if over else None, "", "", 1)  # fmt: skip

    return {"feedback_case": (columns, [row(n, at) for n, at in _times(count, now)])}


def _suggestions(member: Member, count: int, now: datetime) -> Rows:
    columns = ("id", "box_id", "member_id", "state", "day", "at", "rating_text", "messages", "unanswered", "version")
    named = [(f"VG{member.number}-{n}", n, at) for n, at in _times(count, now)]
    days = {id_: clock.local_date(at, ZONE) for id_, _, at in named}
    return {
        "suggestion": (
            columns,
            [(id_, f"VB{n % BOXES}", member.id, "open", days[id_], at, "", 1, 1, 1) for id_, n, at in named],
        ),
        "suggestion_message": (
            ("id", "suggestion_id", "seq", "author", "text", "pictures", "day", "at", "request"),
            [(f"{id_}-1", id_, 1, "writer", "基准意见", "[]", days[id_], at, "") for id_, _, at in named],
        ),
    }


def _surveys(member: Member, count: int, now: datetime) -> Rows:
    return {
        "survey_participation": (
            ("survey_id", "member_id", "version", "done_on"),
            [(f"VS{n}", member.id, 1, clock.local_date(at, ZONE)) for n, at in _times(count, now)],
        )
    }


def _conversation(member: Member, count: int, now: datetime) -> Rows:
    columns = ("id", "openid_digest", "openid_sealed", "member_id", "store_id", "state", "last_seq", "unread",
               "last_at", "created_at")  # fmt: skip
    began = now - _BETWEEN * (count + 1)
    last = (member.id, f"bench-{member.number}", "", member.id, member.store_id, "robot", count, 1, now, began)
    said = [
        (member.id, count - n, "customer" if n % 2 else "robot", "text", "received" if n % 2 else "sent", "基准", at)
        for n, at in _times(count, now)
    ]
    return {
        "conversation": (columns, [last]),
        "conversation_message": (("conversation_id", "seq", "author", "kind", "stage", "text", "at"), said),
    }


def _tasks(member: Member, count: int, now: datetime) -> Rows:
    columns = ("id", "plan_id", "member_id", "occasion", "on", "how", "state", "store_id", "made_at", "made_on",
               "due_on", "judge_at", "closed_by", "closed_at")  # fmt: skip

    def row(n: int, at: datetime) -> tuple[Any, ...]:
        on = clock.local_date(at, ZONE)
        state, by, closed = ("done", 1, at) if n >= 2 else ("open", None, None)
        return (f"V{member.number}-{n}", f"VC{n % PLANS}", member.id, f"{n}", "birthday", "call", state,
                member.store_id, at, on, on, at, by, closed)  # fmt: skip

    return {"care_task": (columns, [row(n, at) for n, at in _times(count, now)])}
