"""Head office keeps rules of discounts; every change is written down."""

from __future__ import annotations

import msgspec

from backend.kernel import clock, db, ids, logging
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.points import service as points

from . import queries
from .errors import DiscountRuleConflict
from .schemas import DiscountRuleIn
from .types import Rule, RuleState

log = logging.get(__name__)

_MOVES: dict[str, tuple[frozenset[RuleState], RuleState]] = {
    "activate": (frozenset({RuleState.DRAFT, RuleState.PAUSED}), RuleState.ACTIVE),
    "pause": (frozenset({RuleState.ACTIVE}), RuleState.PAUSED),
    "end": (frozenset({RuleState.DRAFT, RuleState.ACTIVE, RuleState.PAUSED}), RuleState.ENDED),
}
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('discount_rules'))"


async def get_rule(rule_id: str) -> Rule:
    """A rule; ``NotFound`` for none."""
    found = await queries.find_rule(rule_id)
    if found is None:
        raise NotFound("there is no such rule")
    return found


async def create_rule(body: DiscountRuleIn, staff_id: int) -> Rule:
    """Add a rule as a draft: it gives nothing before it is activated."""
    await check(body)
    rule_id, now = ids.new_short("D"), clock.now()
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO discount_rule (id, title, state, terms, created_at, updated_at)"
            " VALUES ($1, $2, 'draft', $3, $4, $4)",
            *(rule_id, body.title, msgspec.json.encode(body.terms).decode(), now),
        )
        await queries.changes.note(tx, rule_id, staff_id, "create", msgspec.to_builtins(body), now)
    return await get_rule(rule_id)


async def change_rule(rule_id: str, body: DiscountRuleIn, staff_id: int) -> Rule:
    """Put another text in its place; of a living rule it holds from now on, under another version."""
    await check(body)
    async with db.transaction() as tx:
        now = clock.now()
        found = await _lock(tx, rule_id)
        if found.state is RuleState.ENDED:
            raise DiscountRuleConflict("the rule is over")
        await db.raw(tx).execute(
            "UPDATE discount_rule SET title = $2, terms = $3, updated_at = $4, version = version + $5 WHERE id = $1",
            *(rule_id, body.title, msgspec.json.encode(body.terms).decode(), now),
            int(found.state is RuleState.ACTIVE),
        )
        await queries.changes.note(tx, rule_id, staff_id, "change", msgspec.to_builtins(body), now)
    queries.forget_rules()
    return await get_rule(rule_id)


async def move_rule(rule_id: str, move: str, staff_id: int) -> Rule:
    """Activate, pause or end a rule; repeated, it changes nothing."""
    sources, target = _MOVES[move]
    async with db.transaction() as tx:
        now = clock.now()
        await db.raw(tx).execute(_ALONE)
        found = await _lock(tx, rule_id)
        if found.state in sources:
            if target is RuleState.ACTIVE:
                await _check_room(tx)
            await db.raw(tx).execute(
                "UPDATE discount_rule SET state = $2, updated_at = $3, version = version + $4 WHERE id = $1",
                *(rule_id, target.value, now, int(target is RuleState.ACTIVE)),
            )
            await queries.changes.note(tx, rule_id, staff_id, move, {}, now)
        elif found.state is not target:
            raise DiscountRuleConflict(f"the rule is {found.state.value}")
    queries.forget_rules()
    log.info("discounts.rule_moved", rule_id=rule_id, staff_id=staff_id, move=move)
    return await get_rule(rule_id)


async def _lock(tx: Tx, rule_id: str) -> Rule:
    rows = await db.fetch_in(tx, f"{queries.RULE} WHERE id = $1 FOR UPDATE", rule_id)
    if not rows:
        raise NotFound("there is no such rule")
    return queries.rule_of(rows[0])


async def _check_room(tx: Tx) -> None:
    (row,) = await db.fetch_in(tx, "SELECT count(*) FROM discount_rule WHERE state = 'active'")
    if row[0] >= queries.MOST_RULES:
        raise DiscountRuleConflict(f"{queries.MOST_RULES} rules live already; end one")


async def check(body: DiscountRuleIn) -> None:
    """What the shapes alone cannot say; each refusal names its field."""
    if bool(body.terms.rate_bp) == bool(body.terms.piece_fen):
        raise invalid("/terms/rate_bp", "give either rate_bp or piece_fen")
    await points.check_condition(body.terms.condition)
