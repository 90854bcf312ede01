"""Writes that take an open transaction (public): a case is opened, and takes its steps."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import msgspec

from backend.coupons import queries as coupon_queries
from backend.coupons import service as coupons
from backend.kernel import clock, db, readable
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.vault import vault
from backend.mall import service as mall
from backend.members import queries as members
from backend.messages import service as messages
from backend.messages.types import Builtin, Letter
from backend.wallet import service as wallet

from . import rules
from .models import Case as Row
from .queries.cases import CONTACT_CONTEXT
from .types import Action, Actor, Case, CaseKind, CaseState, Gift, Given, NewCase, Priority

PREFIX, ID_CHARS = "K", 15
"""Of a case's id: a letter, random characters, a check character; staff say it on the phone."""

SCOPE = "case"
"""Of the keys under which a case gives, and the kind of its points' transfer."""

KINDS = {
    CaseKind.COMPLAINT: "投诉",
    CaseKind.OPINION: "建议",
    CaseKind.PRAISE: "表扬",
    CaseKind.CONSULTATION: "咨询",
}


def new_id() -> str:
    """An id that no case has."""
    return PREFIX + readable.make(secrets.randbits(5 * ID_CHARS), ID_CHARS)


def due_at(since: datetime, kind: CaseKind, priority: Priority) -> datetime:
    """When an answer is due that is awaited since then, by the chain's settings."""
    hours = rules.read_table(settings().case_answer_hours, CaseKind)
    percent = rules.read_table(settings().case_priority_percent, Priority)
    return rules.due_at(since, kind, priority, hours, percent)


async def open(  # noqa: A001 - ``cases.service.open``
    tx: Tx, new: NewCase, *, at: datetime, case_id: str | None = None, key: str | None = None, request: str = ""
) -> str:
    """Open a case for a member, a contact or nobody in particular; returns its id.

    ``key`` is what makes it one: whoever gives one sees to it that none was opened under it (``queries.step_under``).
    ``NotFound`` for pictures that are not the member's own unused uploads.
    """
    id_ = case_id or new_id()
    contact = vault().seal(msgspec.json.encode(new.contact), context=CONTACT_CONTEXT) if new.contact else None
    await Row.create(
        using_db=tx,
        id=id_,
        kind=new.kind.value,
        channel=new.channel.value,
        state=CaseState.RECEIVED.value,
        priority=new.priority.value,
        member_id=new.member_id,
        contact_sealed=contact,
        contact_index=members.phone_index(new.contact.phone) if new.contact else None,
        consent_at=at if new.contact else None,
        store_id=new.store_id,
        reference=new.reference,
        sku=new.sku,
        excerpt=rules.excerpt(new.text),
        round=1,
        since=at,
        due_at=due_at(at, new.kind, new.priority),
        created_at=at,
        updated_at=at,
        compensation="",
        rating_text="",
        version=1,
    )
    if new.pictures and new.member_id is not None:
        await mall.use_uploads(tx, new.member_id, new.pictures, used_for=id_, at=at)
    await _write(
        tx, id_, 1, Action.OPEN, CaseState.RECEIVED, new.by, at, new.text, new.pictures, key=key, request=request
    )
    return id_


async def step(
    tx: Tx,
    case: Case,
    action: Action,
    actor: Actor,
    *,
    text: str = "",
    pictures: tuple[str, ...] = (),
    detail: dict[str, str] | None = None,
    changes: dict[str, Any] | None = None,
    key: str | None = None,
    request: str = "",
    at: datetime | None = None,
) -> CaseState:
    """Take a step with a locked case, now unless ``at`` says when, and change its row; returns the state after it."""
    rules.check_room(case, action)
    state, at = rules.move(case.state, action), at or clock.now()
    if pictures and case.member_id is not None:
        await mall.use_uploads(tx, case.member_id, pictures, used_for=case.id, at=at)
    changed = {"state": state.value, "version": case.version + 1, "updated_at": at} | (changes or {})
    await Row.filter(id=case.id).using_db(tx).update(**changed)
    await _write(
        tx,
        case.id,
        case.version + 1,
        action,
        state,
        actor,
        at,
        text,
        pictures,
        detail=detail,
        key=key,
        request=request,
    )
    if case.state in rules.WAITING and state not in rules.WAITING:
        await db.raw(tx).execute(
            "UPDATE feedback_todo SET done_at = $2 WHERE case_id = $1 AND done_at IS NULL", case.id, at
        )
    return state


async def _write(
    tx: Tx,
    case_id: str,
    version: int,
    action: Action,
    state: CaseState,
    actor: Actor,
    at: datetime,
    text: str,
    pictures: tuple[str, ...],
    *,
    detail: dict[str, str] | None = None,
    key: str | None = None,
    request: str = "",
) -> None:
    await db.raw(tx).execute(
        "INSERT INTO feedback_step (case_id, version, action, state, by, staff_id, text, pictures, detail, key,"
        " request, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        case_id,
        version,
        action.value,
        state.value,
        actor.by.value,
        actor.staff_id,
        text,
        msgspec.json.encode(pictures).decode(),
        msgspec.json.encode(detail or {}).decode(),
        key,
        request if key is not None else None,
        at,
    )


async def give(tx: Tx, case: Case, gift: Gift, at: datetime) -> Given:
    """Give a locked case's member points, a coupon, or both; for a case, each is given once.

    The coupon first: its template is locked before any books. What refuses the coupon, the member or the books is
    raised, and the transaction must not commit then.
    """
    assert case.member_id is not None
    coupon_id, title = None, ""
    if gift.template_id is not None:
        title = (await coupon_queries.list_titles([gift.template_id])).get(gift.template_id, "")
        (coupon_id,) = await coupons.issue_each(
            tx, case.member_id, [gift.template_id], source=f"case:{case.id}", scope=SCOPE, key=case.id
        )
    if gift.points is not None:
        await wallet.give_points(
            tx, case.member_id, gift.points, kind=SCOPE, scope=SCOPE, key=case.id, about=case.id, now=at
        )
    return Given(points=gift.points or 0, coupon_id=coupon_id, coupon_title=title)


async def tell(tx: Tx, case: Case, builtin: Builtin, **more: str) -> None:
    """Tell a case's member of what was just done to it; a case of nobody's has nobody to tell."""
    if case.member_id is None:
        return
    opened = clock.local_date(case.created_at, settings().timezone)
    values = {"day": f"{opened.month}月{opened.day}日", "kind": KINDS[case.kind]} | more
    letter = Letter(case.member_id, builtin.code, values, f"{case.id} {case.version + 1}", link=f"#/case?{case.id}")
    await messages.send(tx, [letter])
