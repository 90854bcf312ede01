"""Head office's calls about earning rules. What a basket would earn, ``backend.pos`` says, which knows articles."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import queries, views
from ..commands import rules
from ..errors import PointsRuleConflict
from ..schemas import RuleIn, RuleOut, RulesOut, RulesQuery, VersionsOut

router = Router(tag="points")

_READ = staff(Permission.POINTS_READ)
_WRITE = staff(Permission.POINTS_RULES)
_RULES = "/v1/admin/points-rules"
_RULE = f"{_RULES}/{{rule_id}}"
LAST = 100
MOST_LISTED = 200


@router.get(_RULES, guard=_READ, summary="积分规则", errors=(ValidationFailed,))
async def list_rules(caller: StaffCaller, query: RulesQuery) -> RulesOut:
    """The last two hundred rules, newest first."""
    return RulesOut([views.rule(found) for found in await queries.list_rules(query.state, limit=MOST_LISTED)])


@router.post(_RULES, guard=_WRITE, status=201, summary="新建积分规则", errors=(ValidationFailed,))
async def create_rule(caller: StaffCaller, body: RuleIn) -> RuleOut:
    """Add a rule as a draft; it earns nothing before it is activated."""
    return views.rule(await rules.create_rule(body, caller.staff_id))


@router.get(_RULE, guard=_READ, summary="积分规则详情", errors=(NotFound,))
async def get_rule(caller: StaffCaller, rule_id: str) -> RuleOut:
    """One rule."""
    return views.rule(await rules.get_rule(rule_id))


@router.put(_RULE, guard=_WRITE, summary="修改积分规则", errors=(NotFound, ValidationFailed, PointsRuleConflict))
async def change_rule(caller: StaffCaller, rule_id: str, body: RuleIn) -> RuleOut:
    """Put another text in its place; of a living rule that is a new version, from now on."""
    return views.rule(await rules.change_rule(rule_id, body, caller.staff_id))


@router.post(f"{_RULE}/activate", guard=_WRITE, summary="启用", errors=(NotFound, PointsRuleConflict))
async def activate(caller: StaffCaller, rule_id: str) -> RuleOut:
    """Let purchases earn by it, from now on; every till knows within two seconds."""
    return views.rule(await rules.move_rule(rule_id, "activate", caller.staff_id))


@router.post(f"{_RULE}/pause", guard=_WRITE, summary="停用", errors=(NotFound, PointsRuleConflict))
async def pause(caller: StaffCaller, rule_id: str) -> RuleOut:
    """Put it out of force for a while."""
    return views.rule(await rules.move_rule(rule_id, "pause", caller.staff_id))


@router.post(f"{_RULE}/end", guard=_WRITE, summary="结束", errors=(NotFound, PointsRuleConflict))
async def end(caller: StaffCaller, rule_id: str) -> RuleOut:
    """End it for good."""
    return views.rule(await rules.move_rule(rule_id, "end", caller.staff_id))


@router.get(f"{_RULE}/versions", guard=_READ, summary="历史版本", errors=(NotFound,))
async def list_versions(caller: StaffCaller, rule_id: str) -> VersionsOut:
    """What it said from when until when."""
    found = await rules.get_rule(rule_id)
    return VersionsOut([views.version(one) for one in await queries.list_versions(found.id, limit=LAST)])


@router.get(f"{_RULE}/changes", guard=_READ, summary="变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, rule_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await rules.get_rule(rule_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))
