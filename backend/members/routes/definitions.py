"""Staff's calls about attributes and what members may change themselves."""

from __future__ import annotations

import msgspec

from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.changes import ChangesOut, changes_out
from backend.kernel.errors import NotFound
from backend.kernel.http import Router

from .. import queries, schemas
from ..commands import definitions
from ..errors import AttributeExists, TooManyAttributes, VersionConflict
from ..types import Attribute, FieldRules

router = Router(tag="member")

_ALL = "/v1/admin/member-attributes"
_ONE = f"{_ALL}/{{member_attribute}}"
_RULES = "/v1/admin/member-fields"
MOST_CHANGES = 100


@router.get(_ALL, guard=staff(Permission.MEMBERS_READ), summary="扩展属性")
async def list_attributes(caller: StaffCaller) -> schemas.AttributeList:
    """Every attribute that the caller sees, in the order of forms, archived ones last; all, for who defines them."""
    return schemas.AttributeList(items=await queries.list_attributes_for(caller))


@router.post(
    _ALL,
    guard=staff(Permission.MEMBER_FIELDS),
    status=201,
    errors=(AttributeExists, TooManyAttributes),
    summary="新增扩展属性",
)
async def create_attribute(caller: StaffCaller, body: schemas.CreateAttribute) -> schemas.AttributeOut:
    """Define an attribute: what it is called, its type with bounds or options, and who sees and edits it."""
    return await _out(await definitions.create_attribute(caller, body))


@router.get(_ONE, guard=staff(Permission.MEMBER_FIELDS), errors=(NotFound,), summary="扩展属性详情")
async def get_attribute(member_attribute: str) -> schemas.AttributeOut:
    """One attribute, and whether members have values of it."""
    return await _out(await queries.get_attribute(member_attribute))


@router.put(_ONE, guard=staff(Permission.MEMBER_FIELDS), errors=(NotFound, VersionConflict), summary="修改扩展属性")
async def change_attribute(
    caller: StaffCaller, member_attribute: str, body: schemas.ChangeAttribute
) -> schemas.AttributeOut:
    """Define it anew, from the version that was read. Once members have values, type and options stay; close those."""
    return await _out(await definitions.change_attribute(caller, member_attribute, body))


@router.post(f"{_ONE}/archive", guard=staff(Permission.MEMBER_FIELDS), errors=(NotFound,), summary="停用扩展属性")
async def archive_attribute(caller: StaffCaller, member_attribute: str) -> schemas.AttributeOut:
    """Take it out of every form, card and filter; members' values stay for when it comes back."""
    return await _out(await definitions.archive_attribute(caller, member_attribute, archived=True))


@router.post(f"{_ONE}/restore", guard=staff(Permission.MEMBER_FIELDS), errors=(NotFound,), summary="恢复扩展属性")
async def restore_attribute(caller: StaffCaller, member_attribute: str) -> schemas.AttributeOut:
    """Bring it back, with the values that members had."""
    return await _out(await definitions.archive_attribute(caller, member_attribute, archived=False))


@router.get(f"{_ONE}/changes", guard=staff(Permission.MEMBER_FIELDS), errors=(NotFound,), summary="扩展属性修改记录")
async def list_attribute_changes(member_attribute: str) -> ChangesOut:
    """What it was in each version, newest first, and who made it so."""
    await queries.get_attribute(member_attribute)
    return changes_out(await queries.list_definition_changes(member_attribute, MOST_CHANGES))


@router.get(_RULES, guard=staff(Permission.MEMBERS_READ), summary="会员可自行修改的资料")
async def get_field_rules() -> schemas.FieldRulesOut:
    """How often members may change each field themselves (null: always, 0: never)."""
    return _rules(await queries.get_field_rules())


@router.put(
    _RULES, guard=staff(Permission.MEMBER_FIELDS), errors=(VersionConflict,), summary="设定会员可自行修改的资料"
)
async def put_field_rules(caller: StaffCaller, body: schemas.PutFieldRules) -> schemas.FieldRulesOut:
    """Say anew how often members may change each field; what is not named they change as they like."""
    return _rules(await definitions.put_field_rules(caller, body))


@router.get(f"{_RULES}/changes", guard=staff(Permission.MEMBER_FIELDS), summary="资料规则修改记录")
async def list_rule_changes() -> ChangesOut:
    """What the rules were in each version, newest first."""
    return changes_out(await queries.list_definition_changes(queries.FIELD_RULES, MOST_CHANGES))


def _rules(found: FieldRules) -> schemas.FieldRulesOut:
    return schemas.FieldRulesOut(found.changes, found.version)


async def _out(found: Attribute) -> schemas.AttributeOut:
    used = await queries.is_used(found.code)
    return schemas.AttributeOut(**msgspec.structs.asdict(found), used=used)
