"""What the robot goes by, which head office writes; and the canned answers of staff."""

from __future__ import annotations

import msgspec

from backend.auth import queries as auth
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import Forbidden, NotFound, ValidationFailed, invalid
from backend.kernel.http import Router

from .. import queries
from ..commands import guide
from ..rules import words
from ..schemas import (
    CannedIn,
    CannedListOut,
    CannedOut,
    ChangesQuery,
    RuleIn,
    RuleOut,
    RulesOut,
    TextsBody,
    TriedOut,
    TryIn,
)
from ..types import Canned, Rule

router = Router(tag="customer service")

_BASE = "/v1/admin/conversations"
_RULES, _RULE = f"{_BASE}/rules", f"{_BASE}/rules/{{rule_id}}"
_CANNED, _ANSWER = f"{_BASE}/canned", f"{_BASE}/canned/{{canned_id}}"
LAST = 100


@router.get(_RULES, guard=staff(Permission.CONVERSATIONS_RULES), summary="自动回复规则")
async def list_rules(caller: StaffCaller) -> RulesOut:
    """Every rule, the one that wins first."""
    return RulesOut([_rule(item) for item in await queries.list_rules()])


@router.post(
    _RULES, guard=staff(Permission.CONVERSATIONS_RULES), status=201, summary="新增规则", errors=(ValidationFailed,)
)
async def add_rule(caller: StaffCaller, body: RuleIn) -> RuleOut:
    """Add a rule: what the robot does where a customer writes one of its words."""
    return await _read(await guide.put_rule(None, body, caller.staff_id))


@router.put(_RULE, guard=staff(Permission.CONVERSATIONS_RULES), summary="修改规则", errors=(NotFound, ValidationFailed))
async def change_rule(caller: StaffCaller, rule_id: str, body: RuleIn) -> RuleOut:
    """Put another rule in its place."""
    return await _read(await guide.put_rule(rule_id, body, caller.staff_id))


@router.delete(_RULE, guard=staff(Permission.CONVERSATIONS_RULES), summary="删除规则", errors=(NotFound,))
async def remove_rule(caller: StaffCaller, rule_id: str) -> None:
    """Forget a rule."""
    await guide.remove_rule(rule_id, caller.staff_id)


@router.post(f"{_RULES}/try", guard=staff(Permission.CONVERSATIONS_RULES), summary="试一试", errors=(ValidationFailed,))
async def try_rules(caller: StaffCaller, body: TryIn) -> TriedOut:
    """What the robot would do with this text; nothing is sent."""
    act, decision = words.decide(body.text, await queries.list_rules())
    return TriedOut(act, decision)


@router.get(f"{_BASE}/texts", guard=staff(Permission.CONVERSATIONS_RULES), summary="欢迎语与兜底回复")
async def get_texts(caller: StaffCaller) -> TextsBody:
    """What the robot says at the beginning, where nothing fits, for the queue, and at the end."""
    return msgspec.convert(msgspec.structs.asdict(await queries.read_texts()), TextsBody)


@router.put(
    f"{_BASE}/texts",
    guard=staff(Permission.CONVERSATIONS_RULES),
    summary="修改欢迎语与兜底回复",
    errors=(ValidationFailed,),
)
async def put_texts(caller: StaffCaller, body: TextsBody) -> TextsBody:
    """Say this from now on."""
    await guide.put_texts(body, caller.staff_id)
    return body


@router.get(f"{_BASE}/changes", guard=staff(Permission.CONVERSATIONS_RULES), summary="规则、话术与快捷回复的变更记录")
async def list_changes(caller: StaffCaller, query: ChangesQuery) -> ChangesOut:
    """Who changed rules, texts or canned answers, the last hundred times."""
    return changes_out(await queries.changes.list_of(query.of, LAST))


@router.get(_CANNED, guard=staff(Permission.CONVERSATIONS_HANDLE), summary="快捷回复")
async def list_canned(caller: StaffCaller) -> CannedListOut:
    """The chain's answers and the own store's; all of them at head office."""
    return CannedListOut([_canned(item) for item in await queries.list_canned(caller.store_id, every=caller.office)])


@router.post(
    _CANNED,
    guard=staff(Permission.CONVERSATIONS_LEAD),
    status=201,
    summary="新增快捷回复",
    errors=(ValidationFailed, Forbidden),
)
async def add_canned(caller: StaffCaller, body: CannedIn) -> CannedOut:
    """Keep an answer ready; a manager for the own store."""
    await _check_store(body.store_id)
    return CannedOut(id=await guide.put_canned(None, body, caller), **msgspec.structs.asdict(body))


@router.put(
    _ANSWER,
    guard=staff(Permission.CONVERSATIONS_LEAD),
    summary="修改快捷回复",
    errors=(NotFound, ValidationFailed, Forbidden),
)
async def change_canned(caller: StaffCaller, canned_id: str, body: CannedIn) -> CannedOut:
    """Put another answer in its place."""
    await _check_store(body.store_id)
    return CannedOut(id=await guide.put_canned(canned_id, body, caller), **msgspec.structs.asdict(body))


@router.delete(_ANSWER, guard=staff(Permission.CONVERSATIONS_LEAD), summary="删除快捷回复", errors=(NotFound,))
async def remove_canned(caller: StaffCaller, canned_id: str) -> None:
    """Forget an answer."""
    await guide.remove_canned(canned_id, caller)


async def _check_store(store_id: str | None) -> None:
    if store_id is not None and await auth.find_store(store_id) is None:
        raise invalid("/store_id", "there is no such store")


async def _read(rule_id: str) -> RuleOut:
    found = await queries.find_rule(rule_id)
    if found is None:
        raise NotFound("there is no such rule")
    return _rule(found)


def _rule(item: Rule) -> RuleOut:
    return RuleOut(**msgspec.structs.asdict(item) | {"words": list(item.words)})


def _canned(item: Canned) -> CannedOut:
    return CannedOut(**msgspec.structs.asdict(item))
