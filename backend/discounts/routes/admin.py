"""Head office's calls about rules of discounts at tills."""

from __future__ import annotations

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

from .. import commands, queries
from ..errors import DiscountRuleConflict
from ..schemas import DiscountRuleIn, DiscountRuleOut, DiscountRulesOut, DiscountRulesQuery
from ..types import Rule

router = Router(tag="discounts")

_READ = staff(Permission.DISCOUNTS_READ)
_WRITE = staff(Permission.DISCOUNTS_WRITE)
_RULES = "/v1/admin/discount-rules"
_RULE = f"{_RULES}/{{rule_id}}"
LAST = 100
MOST_LISTED = 200


def _out(rule: Rule) -> DiscountRuleOut:
    return DiscountRuleOut(**msgspec.structs.asdict(rule))


@router.get(_RULES, guard=_READ, summary="门店折扣", errors=(ValidationFailed,))
async def list_rules(caller: StaffCaller, query: DiscountRulesQuery) -> DiscountRulesOut:
    """The last two hundred rules, newest first."""
    return DiscountRulesOut([_out(one) for one in await queries.list_rules(query.state, limit=MOST_LISTED)])


@router.post(_RULES, guard=_WRITE, status=201, summary="新建门店折扣", errors=(ValidationFailed,))
async def create_rule(caller: StaffCaller, body: DiscountRuleIn) -> DiscountRuleOut:
    """Add a rule as a draft; it gives nothing before it is activated."""
    return _out(await commands.create_rule(body, caller.staff_id))


@router.get(_RULE, guard=_READ, summary="门店折扣详情", errors=(NotFound,))
async def get_rule(caller: StaffCaller, rule_id: str) -> DiscountRuleOut:
    """One rule."""
    return _out(await commands.get_rule(rule_id))


@router.put(_RULE, guard=_WRITE, summary="修改门店折扣", errors=(NotFound, ValidationFailed, DiscountRuleConflict))
async def change_rule(caller: StaffCaller, rule_id: str, body: DiscountRuleIn) -> DiscountRuleOut:
    """Put another text in its place; of a living rule it holds from now on."""
    return _out(await commands.change_rule(rule_id, body, caller.staff_id))


@router.post(f"{_RULE}/activate", guard=_WRITE, summary="启用门店折扣", errors=(NotFound, DiscountRuleConflict))
async def activate(caller: StaffCaller, rule_id: str) -> DiscountRuleOut:
    """Let tills give by it, from now on; every till knows within three seconds."""
    return _out(await commands.move_rule(rule_id, "activate", caller.staff_id))


@router.post(f"{_RULE}/pause", guard=_WRITE, summary="停用门店折扣", errors=(NotFound, DiscountRuleConflict))
async def pause(caller: StaffCaller, rule_id: str) -> DiscountRuleOut:
    """Put it out of force for a while."""
    return _out(await commands.move_rule(rule_id, "pause", caller.staff_id))


@router.post(f"{_RULE}/end", guard=_WRITE, summary="结束门店折扣", errors=(NotFound, DiscountRuleConflict))
async def end(caller: StaffCaller, rule_id: str) -> DiscountRuleOut:
    """End it for good."""
    return _out(await commands.move_rule(rule_id, "end", caller.staff_id))


@router.get(f"{_RULE}/changes", guard=_READ, summary="门店折扣变更记录", errors=(NotFound,))
async def list_changes(caller: StaffCaller, rule_id: str) -> ChangesOut:
    """Who of the staff did what to it."""
    found = await commands.get_rule(rule_id)
    return changes_out(await queries.changes.list_of(found.id, LAST))
