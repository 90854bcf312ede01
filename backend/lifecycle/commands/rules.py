"""The rules of levels and stages: put in force by head office, each version kept."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backend.auth.types import StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, ValidationFailed
from backend.members import queries as members
from backend.members import service as member_service

from .. import queries
from ..errors import RulesChanged
from ..schemas import PreviewIn, RuleOfLevel, RulesIn, StageRulesIn
from ..types import LevelRule, PeriodKind, Run, RunKind, StageRule, Thresholds
from .runs import get_run, start

log = logging.get(__name__)

_ALONE = "SELECT pg_advisory_xact_lock(7305201707)"


async def checked(asked: Sequence[RuleOfLevel]) -> dict[str, LevelRule]:
    """The rules by level; refused are levels there are not, the lowest one, and what says nothing or contradicts."""
    members.forget_levels()
    known = list(await members.levels())
    rules: dict[str, LevelRule] = {}
    wrong: list[FieldError] = []
    for place, one in enumerate(asked):
        at = f"/rules/{place}"
        if one.level not in known:
            wrong.append(FieldError(f"{at}/level", "there is no such level"))
        elif one.level == known[0]:
            wrong.append(FieldError(f"{at}/level", "is the lowest level: everybody has it, no rule is needed"))
        elif one.level in rules:
            wrong.append(FieldError(f"{at}/level", "has a rule already"))
        wrong += _flaws(one.reach, f"{at}/reach") + _flaws(one.keep, f"{at}/keep")
        if one.period.kind is PeriodKind.OPEN and (one.keep or one.grace_days):
            wrong.append(FieldError(f"{at}/period", "is for good: there is nothing to keep"))
        if one.period.kind is PeriodKind.MONTHS and one.period.months < 1:
            wrong.append(FieldError(f"{at}/period/months", "must be at least 1"))
        rules[one.level] = LevelRule(**{name: getattr(one, name) for name in LevelRule.__struct_fields__})
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))
    return rules


def _flaws(wanted: Thresholds | None, at: str) -> list[FieldError]:
    if wanted is None or any(one is not None for one in (wanted.spend_fen, wanted.points, wanted.purchases)):
        return []
    return [FieldError(at, "must name at least one of spend_fen, points and purchases")]


async def put_rules(body: RulesIn, caller: StaffCaller) -> str:
    """Put rules in force from now on, and look at everybody; the run's id. ``RulesChanged``: somebody was quicker."""
    rules = await checked(body.rules)
    async with db.transaction() as tx:
        version = await _next(tx, "lifecycle_programme", body.version)
        await db.raw(tx).execute(
            "INSERT INTO lifecycle_programme (version, since, rules, staff_id) VALUES ($1, $2, $3, $4)",
            version,
            clock.now(),
            msgspec.json.encode(rules).decode(),
            caller.staff_id,
        )
        await member_service.set_ruled(tx, rules)
        run_id = await start(tx, RunKind.ALL, caller.staff_id)
    members.forget_levels()
    queries.forget_rules()
    log.info("levels.rules_changed", version=version, staff_id=caller.staff_id)
    return run_id


async def preview(body: PreviewIn, caller: StaffCaller) -> Run:
    """Begin to count whom rules would move, which changes nothing; the run says how far it is."""
    rules = await checked(body.rules)
    async with db.transaction() as tx:
        run_id = await start(tx, RunKind.PREVIEW, caller.staff_id, rules)
    return await get_run(run_id)


async def put_stage_rules(body: StageRulesIn, caller: StaffCaller) -> str:
    """Put rules of stages in force, and look at everybody; the run's id."""
    _check_stages(body.rules)
    async with db.transaction() as tx:
        version = await _next(tx, "lifecycle_stages", body.version)
        await db.raw(tx).execute(
            "INSERT INTO lifecycle_stages (version, since, rules, staff_id) VALUES ($1, $2, $3, $4)",
            version,
            clock.now(),
            msgspec.json.encode(body.rules).decode(),
            caller.staff_id,
        )
        run_id = await start(tx, RunKind.ALL, caller.staff_id)
    queries.forget_rules()
    return run_id


def _check_stages(rules: tuple[StageRule, ...]) -> None:
    wrong = [
        FieldError(f"/rules/{place}/within_days", "needs purchases_from")
        for place, rule in enumerate(rules)
        if rule.within_days is not None and rule.purchases_from is None
    ]
    if rules[-1] != StageRule(stage=rules[-1].stage):
        wrong.append(FieldError(f"/rules/{len(rules) - 1}", "is the last one and must hold for everybody"))
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))


async def _next(tx: Tx, table: str, seen: int) -> int:
    await db.raw(tx).execute(_ALONE)
    (row,) = await db.fetch_in(tx, f"SELECT coalesce(max(version), 0) AS version FROM {table}")  # noqa: S608 - ours
    if row["version"] != seen:
        raise RulesChanged
    return seen + 1
