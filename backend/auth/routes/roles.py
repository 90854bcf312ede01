"""Roles and what they hold."""

from __future__ import annotations

from backend.auth import commands, queries, schemas
from backend.auth.errors import AlreadyExists, BeyondOneself, RoleConflict, TooManyInvitations
from backend.auth.guards import staff
from backend.auth.types import Permission, StaffCaller
from backend.kernel.errors import NotFound, ValidationFailed
from backend.kernel.http import Router

router = Router(tag="staff")

_ROLES = "/v1/admin/roles"
_READ = staff(Permission.STAFF_READ)
_WRITE = staff(Permission.ROLES_MANAGE)


@router.get(_ROLES, guard=_READ, summary="角色列表")
async def list_roles() -> schemas.RolesOut:
    """All roles and what they hold: the built-in ones, then the chain's own."""
    return schemas.RolesOut([schemas.role_out(role) for role in await queries.list_roles()])


@router.get("/v1/admin/permissions", guard=_READ, summary="权限列表")
async def list_permissions() -> schemas.PermissionsOut:
    """Everything that can be allowed."""
    return schemas.PermissionsOut(
        [schemas.PermissionOut(one.value, one.label, one.area, one.office) for one in Permission]
    )


@router.post(
    _ROLES,
    guard=_WRITE,
    status=201,
    summary="新增角色",
    errors=(AlreadyExists, BeyondOneself, TooManyInvitations, ValidationFailed),
)
async def create_role(caller: StaffCaller, body: schemas.CreateRole) -> schemas.RoleOut:
    """Add a role of the chain's own; nobody gives it what they may not do themselves."""
    made = await commands.roles.create_role(body.code, body.title, body.scope, body.permissions, caller)
    return schemas.role_out(made)


@router.put(
    f"{_ROLES}/{{role_code}}",
    guard=_WRITE,
    summary="修改角色权限",
    errors=(NotFound, BeyondOneself, RoleConflict, ValidationFailed),
)
async def change_role(caller: StaffCaller, role_code: str, body: schemas.ChangeRole) -> schemas.RoleOut:
    """Say what a role holds, from the next call of its people on."""
    changed = await commands.roles.change_role(
        role_code, body.title, body.permissions, body.second_factor, body.version, caller
    )
    return schemas.role_out(changed)


@router.delete(
    f"{_ROLES}/{{role_code}}",
    guard=_WRITE,
    status=204,
    summary="删除角色",
    errors=(NotFound, BeyondOneself, RoleConflict),
)
async def remove_role(caller: StaffCaller, role_code: str, query: schemas.VersionQuery) -> None:
    """Take a role of the chain's own away that nobody has any more."""
    await commands.roles.remove_role(role_code, query.version, caller)
