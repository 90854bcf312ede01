"""How plans and tasks look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from backend.members import queries as members
from backend.members.types import Listed

from . import queries
from .schemas import CareMemberOut, CarePlanOut, CareTaskOut, EffectOut, GroupOut, TaskStatus
from .types import Effect, Group, Plan, Task, TaskState


def plan(found: Plan, other_gifts: list[str] | None = None) -> CarePlanOut:
    """A plan as staff see it."""
    return CarePlanOut(
        id=found.id,
        title=found.title,
        note=found.note,
        state=found.state,
        audience=found.audience,
        trigger=found.trigger,
        how=found.how,
        template=found.template,
        gift=found.gift,
        owner_id=None if found.owner_id is None else str(found.owner_id),
        hour=found.hour,
        due_days=found.due_days,
        holdout_bp=found.holdout_bp,
        window_days=found.window_days,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        version=found.version,
        created_at=found.created_at,
        updated_at=found.updated_at,
        done_on=found.done_on,
        other_gifts=other_gifts or [],
    )


def status(task: Task, today: date) -> TaskStatus:
    """How a task stands on that local day."""
    if task.state is TaskState.OPEN and task.due_on is not None and task.due_on < today:
        return "overdue"
    return task.state.value


def member(listed: Listed | None, member_id: int) -> CareMemberOut:
    """Whom it is about; the name only masked."""
    if listed is None:
        return CareMemberOut(str(member_id), "", "", "")
    return CareMemberOut(str(listed.id), listed.member_no, listed.name_masked, listed.level)


def task(found: Task, of: Plan, listed: Listed | None, today: date) -> CareTaskOut:
    """A task as staff see it."""
    return CareTaskOut(
        id=found.id,
        plan_id=found.plan_id,
        title=of.title,
        on=found.on,
        occasion=found.occasion,
        how=found.how,
        status=status(found, today),
        member=member(listed, found.member_id),
        store_id=found.store_id,
        owner_id=None if found.owner_id is None else str(found.owner_id),
        made_at=found.made_at,
        due_on=found.due_on,
        gift=of.gift,
        given=found.given,
        note=found.note,
        closed_by=None if found.closed_by is None else str(found.closed_by),
        closed_at=found.closed_at,
    )


async def tasks(found: Iterable[Task], today: date) -> list[CareTaskOut]:
    """Tasks with their plans and members."""
    items = list(found)
    listed = await members.list_masked({item.member_id for item in items})
    plans: Mapping[str, Plan | None] = {id_: await queries.find_plan(id_) for id_ in {item.plan_id for item in items}}
    return [
        task(item, of, listed.get(item.member_id), today) for item in items if (of := plans[item.plan_id]) is not None
    ]


def effect(found: Plan, cared: Group, held: Group, waiting: int, said: Effect) -> EffectOut:
    """The comparison with what it says in words."""
    return EffectOut(
        window_days=found.window_days,
        holdout_bp=found.holdout_bp,
        cared=GroupOut(cared.members, cared.bought, cared.spent_fen),
        held_out=GroupOut(held.members, held.bought, held.spent_fen),
        waiting=waiting,
        effect=said,
        says=in_words(found, said),
    )


def in_words(found: Plan, said: Effect) -> str:
    """What an effect says, and what it does not."""
    if found.holdout_bp == 0:
        return "没有留出对照组，无法判断关怀是否有效。"
    if said.too_few or said.difference_bp is None or said.low_bp is None or said.high_bp is None:
        return "样本太少，还不能下结论。"
    more = "高" if said.difference_bp >= 0 else "低"
    numbers = (
        f"关怀组比对照组的购买比例{more} {abs(said.difference_bp) / 100:.2f} 个百分点"
        f"（95% 区间 {said.low_bp / 100:.2f} 至 {said.high_bp / 100:.2f}）。"
    )
    if said.low_bp > 0:
        return f"{numbers}差异不像是偶然。"
    if said.high_bp < 0:
        return f"{numbers}关怀组反而更低，差异不像是偶然。"
    return f"{numbers}区间包含 0：可能只是偶然。"
