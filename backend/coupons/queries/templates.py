"""Reads of offers: templates as they stand, and those that issue now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from backend.kernel import clock, db
from backend.kernel.kept import Kept

from ..records import Occurrence, Template, TemplateState

KEPT_S = 1.0
"""How old what is offered may be; whoever issues reads the template again, locked."""

MOST_OFFERED = 200
"""Active templates whose time is not over: all of them are kept in mind by every process."""

TEMPLATE = (
    "SELECT id, version, title, state, claim_by, share_token, starts_at, ends_at, total, issued, reserved, per_member,"
    " triggers, sort, birthdays_on, created_at, updated_at FROM coupon_template"
)
RUNNING = "state = 'active' AND (ends_at IS NULL OR ends_at > $1)"
"""SQL: the templates that issue now or will; one that is over by its time needs nobody to end it."""

_triggers = msgspec.json.Decoder()


def template_of(row: db.Record) -> Template:
    """A row of ``TEMPLATE``."""
    return msgspec.convert(dict(row) | {"triggers": _triggers.decode(row["triggers"])}, Template)


async def find_template(template_id: str) -> Template | None:
    """A template as it stands, or None."""
    row = await db.fetchrow(f"{TEMPLATE} WHERE id = $1", template_id)
    return template_of(row) if row else None


async def list_templates(
    state: TemplateState | None, *, before: tuple[datetime, str] | None, limit: int
) -> list[Template]:
    """Templates, newest first, from below the one with that time of making and id."""
    rows = await db.fetch(
        f"{TEMPLATE} WHERE ($1::text IS NULL OR state = $1)"
        " AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3)) ORDER BY created_at DESC, id DESC LIMIT $4",
        state.value if state else None,
        *(before or (None, "")),
        limit,
    )
    return [template_of(row) for row in rows]


async def list_titles(template_ids: Iterable[str]) -> dict[str, str]:
    """What these templates are called now, by id; those that are not there are absent."""
    rows = await db.fetch("SELECT id, title FROM coupon_template WHERE id = ANY($1)", list(template_ids))
    return {row["id"]: row["title"] for row in rows}


Offered = dict[str, Template]


async def _read_offered() -> Offered:
    rows = await db.fetch(f"{TEMPLATE} WHERE {RUNNING} ORDER BY sort, id LIMIT $2", clock.now(), MOST_OFFERED)
    return {row["id"]: template_of(row) for row in rows}


_offered = Kept(_read_offered, keep_s=KEPT_S)


async def offered() -> Offered:
    """Every active template whose time is not over, by id, in the order to show them; at most ``KEPT_S`` old."""
    return await _offered.get()


def forget_offered() -> None:
    """Read the templates again at the next question: one was changed here."""
    _offered.forget()


async def offered_on(occurrence: Occurrence) -> list[Template]:
    """The active templates that are issued by themselves when that happens."""
    return [item for item in (await offered()).values() if any(trigger.on is occurrence for trigger in item.triggers)]


async def find_by_share_token(token: str) -> Template | None:
    """The active template that a link names, at most a second old, or None."""
    return next((item for item in (await offered()).values() if item.share_token == token), None)


async def list_birthday_titles() -> list[str]:
    """What the coupons are called that members are issued on their birthdays, as it is offered now."""
    return [template.title for template in await offered_on(Occurrence.BIRTHDAY)]
