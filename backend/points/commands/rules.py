"""Head office keeps earning rules: each change of a living one is a new version, and every change is written down."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid

from .. import locks, queries, service
from ..errors import PointsRuleConflict
from ..records import StoredRule
from ..schemas import RuleIn, TermsIn
from ..types import RuleKind, RuleState

log = logging.get(__name__)

_MOVES: dict[str, tuple[frozenset[RuleState], RuleState]] = {
    "activate": (frozenset({RuleState.DRAFT, RuleState.PAUSED}), RuleState.ACTIVE),
    "pause": (frozenset({RuleState.ACTIVE}), RuleState.PAUSED),
    "end": (frozenset({RuleState.DRAFT, RuleState.ACTIVE, RuleState.PAUSED}), RuleState.ENDED),
}


async def get_rule(rule_id: str) -> StoredRule:
    """A rule; ``NotFound`` for none."""
    found = await queries.find_rule(rule_id)
    if found is None:
        raise NotFound("there is no such rule")
    return found


async def create_rule(body: RuleIn, staff_id: int) -> StoredRule:
    """Add a rule as a draft: it earns nothing before it is activated."""
    await check(body)
    rule_id, now = ids.new_short("E"), clock.now()
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO points_rule (id, kind, title, state, version, terms, created_at, updated_at)"
            " VALUES ($1, $2, $3, 'draft', 0, $4, $5, $5)",
            rule_id,
            body.kind.value,
            body.title,
            _encoded(body.terms),
            now,
        )
        await queries.changes.note(tx, rule_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await get_rule(rule_id)


async def change_rule(rule_id: str, body: RuleIn, staff_id: int) -> StoredRule:
    """Put another text in its place; of a living rule that is a new version, from now on."""
    await check(body)
    async with db.transaction() as tx:
        now = clock.now()
        await locks.lock_rules(tx)
        found = await locks.lock_rule(tx, rule_id)
        if found.state is RuleState.ENDED:
            raise PointsRuleConflict("the rule is over")
        if body.kind is not found.kind:
            raise PointsRuleConflict("a rule stays what it is: a base rule or a promotion")
        await db.raw(tx).execute(
            "UPDATE points_rule SET title = $2, terms = $3, updated_at = $4 WHERE id = $1",
            rule_id,
            body.title,
            _encoded(body.terms),
            now,
        )
        if found.state is RuleState.ACTIVE:
            await _end_version(tx, rule_id, now)
            await _begin_version(tx, rule_id, now)
        await queries.changes.note(tx, rule_id, staff_id, "change", msgspec.to_builtins(body), now)
    queries.forget_rules()
    return await get_rule(rule_id)


async def move_rule(rule_id: str, move: str, staff_id: int) -> StoredRule:
    """Activate, pause or end a rule; repeated, it changes nothing. What was earned meanwhile stays earned."""
    sources, target = _MOVES[move]
    async with db.transaction() as tx:
        now = clock.now()
        await locks.lock_rules(tx)
        found = await locks.lock_rule(tx, rule_id)
        if found.state in sources:
            await db.raw(tx).execute(
                "UPDATE points_rule SET state = $2, updated_at = $3 WHERE id = $1", rule_id, target.value, now
            )
            if target is RuleState.ACTIVE:
                await _check_room(tx)
                await _begin_version(tx, rule_id, now)
            else:
                await _end_version(tx, rule_id, now)
            await queries.changes.note(tx, rule_id, staff_id, move, {}, now)
        elif found.state is not target:
            raise PointsRuleConflict(f"the rule is {found.state.value}")
    queries.forget_rules()
    log.info("points.rule_moved", rule_id=rule_id, staff_id=staff_id, move=move)
    return await get_rule(rule_id)


async def _check_room(tx: Tx) -> None:
    (row,) = await db.fetch_in(tx, "SELECT count(*) FROM points_rule WHERE state = 'active'")
    if row[0] > queries.MOST_RULES:
        raise PointsRuleConflict(f"{queries.MOST_RULES} rules live already; end one")


async def _begin_version(tx: Tx, rule_id: str, now: datetime) -> None:
    await db.raw(tx).execute(
        "WITH r AS (UPDATE points_rule SET version = version + 1 WHERE id = $1 RETURNING id, version, title, terms)"
        " INSERT INTO points_rule_version (rule_id, version, title, terms, from_at)"
        " SELECT id, version, title, terms, $2 FROM r",
        rule_id,
        now,
    )


async def _end_version(tx: Tx, rule_id: str, now: datetime) -> None:
    await db.raw(tx).execute(
        "UPDATE points_rule_version SET until_at = greatest(from_at, $2) WHERE rule_id = $1 AND until_at IS NULL",
        rule_id,
        now,
    )


def _encoded(terms: TermsIn) -> str:
    return msgspec.json.encode(terms).decode()


async def check(body: RuleIn) -> None:
    """What the shapes alone cannot say; each refusal names its field."""
    terms = body.terms
    if body.kind is RuleKind.BASE:
        if not terms.rate_bp:
            raise invalid("/terms/rate_bp", "a base rule earns something")
        if terms.times_bp != 10_000 or terms.plus or terms.stackable or terms.day_cap is not None:
            raise invalid("/terms", "times_bp, plus, stackable and day_cap are for promotions")
    else:
        if terms.rate_bp or not terms.by_level:
            raise invalid("/terms/rate_bp", "rate_bp and by_level are for base rules")
        if terms.times_bp == 10_000 and not terms.plus:
            raise invalid("/terms/times_bp", "a promotion adds something: times_bp or plus")
    await service.check_condition(terms.condition)
