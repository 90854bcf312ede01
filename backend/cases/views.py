"""How cases look, to their members and to staff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.auth import queries as auth
from backend.kernel import clock
from backend.kernel.config import settings
from backend.mall import queries as mall
from backend.members import queries as members

from . import queries, rules, service
from .schemas import (
    CaseDetail,
    CaseOut,
    DeskDetail,
    DeskItemOut,
    DeskStepOut,
    FiguresOut,
    GivenOut,
    PictureOut,
    StepOut,
)
from .types import Action, Case, CaseKind, Figures, Given, Grouping, Step

SHOWN = frozenset(
    {
        *(Action.OPEN, Action.SAY, Action.ASSIGN, Action.START, Action.ANSWER, Action.CONFIRM, Action.REOPEN),
        *(Action.CLOSE, Action.RATE, Action.GIVE),
    }
)
"""The steps that a member sees of the own case; the others are the staff's affair."""


async def staff_names() -> dict[int, str]:
    """Everybody's login name, by id; those who left too."""
    return {int(person.id): person.username for person in await auth.list_staff()}


async def _store_name(store_id: str | None) -> str | None:
    store = await auth.find_store(store_id) if store_id else None
    return store.name if store else None


async def case(found: Case) -> CaseOut:
    """A case in its member's list."""
    return CaseOut(
        id=found.id,
        kind=found.kind,
        state=found.state,
        store=await _store_name(found.store_id),
        excerpt=found.excerpt,
        created_at=found.created_at,
        updated_at=found.updated_at,
        rating=found.rating,
    )


async def detail(found: Case) -> CaseDetail:
    """A case as its member reads it."""
    steps = [step for step in await queries.list_steps(found.id) if step.action in SHOWN]
    return CaseDetail(
        id=found.id,
        kind=found.kind,
        state=found.state,
        store=await _store_name(found.store_id),
        excerpt=found.excerpt,
        created_at=found.created_at,
        updated_at=found.updated_at,
        rating=found.rating,
        reference=found.reference,
        sku=found.sku,
        steps=[
            StepOut(
                action=step.action,
                state=step.state,
                by=step.by,
                text=step.text,
                pictures=_pictures(step),
                at=step.at,
            )
            for step in steps
        ],
        outcome=found.outcome,
        compensation=found.compensation,
        given=given(found.given),
        rating_text=found.rating_text,
        may_reopen=rules.may_reopen(found, clock.now(), settings().case_reopen_days),
        may_rate=found.answered_at is not None,
        version=found.version,
    )


def given(found: Given | None) -> GivenOut | None:
    """What a case's member was given."""
    if found is None:
        return None
    return GivenOut(points=found.points, coupon_id=found.coupon_id, words=rules.gift_words(found))


def _pictures(step: Step) -> list[PictureOut]:
    shown = [mall.upload_address(one) for one in step.pictures]
    return [PictureOut(one.url, one.small_url) for one in shown]


async def desk_items(found: Sequence[Case]) -> list[DeskItemOut]:
    """Cases in the staff's list."""
    names = await staff_names()
    return [await desk_item(one, names) for one in found]


async def desk_item(found: Case, names: Mapping[int, str]) -> DeskItemOut:
    """A case in the staff's list."""
    return DeskItemOut(
        id=found.id,
        kind=found.kind,
        state=found.state,
        store=await _store_name(found.store_id),
        excerpt=found.excerpt,
        created_at=found.created_at,
        updated_at=found.updated_at,
        rating=found.rating,
        channel=found.channel,
        priority=found.priority,
        store_id=found.store_id,
        customer=await _customer(found),
        assigned_to=str(found.assigned_to) if found.assigned_to else None,
        assignee=names.get(found.assigned_to) if found.assigned_to else None,
        due_at=found.due_at,
        overdue=found.state in rules.WAITING and found.due_at <= clock.now(),
        version=found.version,
    )


async def _customer(found: Case) -> str:
    """Who it is, as much of it as a list tells."""
    if found.member_id is not None:
        card = await members.get_card(found.member_id)
        return f"{card.name_masked} {card.member_no}"
    contact = await queries.find_contact(found.id) if found.has_contact else None
    return rules.mask_contact(contact.name, contact.phone) if contact else ""


async def desk_detail(found: Case) -> DeskDetail:
    """A case as staff read it."""
    names = await staff_names()
    item = await desk_item(found, names)
    return DeskDetail(
        **{name: getattr(item, name) for name in DeskItemOut.__struct_fields__},
        member_id=str(found.member_id) if found.member_id is not None else None,
        has_contact=found.has_contact,
        reference=found.reference,
        sku=found.sku,
        round=found.round,
        answered_at=found.answered_at,
        closed_at=found.closed_at,
        outcome=found.outcome,
        compensation=found.compensation,
        given=given(found.given),
        rating_text=found.rating_text,
        steps=[_desk_step(step, names) for step in await queries.list_steps(found.id)],
    )


def _desk_step(step: Step, names: Mapping[int, str]) -> DeskStepOut:
    return DeskStepOut(
        version=step.version,
        action=step.action,
        state=step.state,
        by=step.by,
        staff=names.get(step.staff_id) if step.staff_id else None,
        text=step.text,
        pictures=_pictures(step),
        detail=step.detail,
        at=step.at,
    )


async def labels(by: Grouping) -> dict[str, str]:
    """What the keys of figures are called."""
    if by is Grouping.KIND:
        return {kind.value: service.KINDS[kind] for kind in CaseKind}
    if by is Grouping.STORE:
        return {store.id: store.name for store in await auth.list_stores()} | {"": "未指定门店"}
    return {str(staff_id): name for staff_id, name in (await staff_names()).items()} | {"": "未分配"}


def figures(found: Figures, label: str) -> FiguresOut:
    """One line of figures."""

    def whole(seconds: float | None) -> int | None:
        return None if seconds is None else round(seconds)

    return FiguresOut(
        key=found.key,
        label=label,
        cases=found.cases,
        waiting=found.waiting,
        overdue=found.overdue,
        answered=found.answered,
        closed=found.closed,
        reopened=found.reopened,
        given=found.given,
        points_given=found.points_given,
        rated=found.rated,
        rating=round(found.rating_sum / found.rated, 2) if found.rated else None,
        answer_p50_s=whole(found.answer_p50_s),
        answer_p90_s=whole(found.answer_p90_s),
        close_p50_s=whole(found.close_p50_s),
        close_p90_s=whole(found.close_p90_s),
    )
