"""Roles: those of the chain's own, and what head office changed of the built-in ones."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import msgspec

from backend.auth import queries, rules
from backend.auth.errors import AlreadyExists, BeyondOneself, RoleConflict, TooManyInvitations
from backend.auth.types import Permission, Role, RoleInfo, Scope, StaffCaller
from backend.kernel import clock, db, trail
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid


async def create_role(
    code: str, title: str, scope: Scope, permissions: frozenset[Permission], caller: StaffCaller
) -> RoleInfo:
    """Add a role of the chain's own; nobody gives it what they may not do themselves."""
    _check(scope, permissions, (), caller)
    async with db.transaction() as tx:
        count = await db.fetch_in(tx, "SELECT count(*) FROM auth_role")
        if count[0][0] >= rules.MOST_ROLES:
            raise TooManyInvitations("there are as many roles as there may be")
        try:
            await db.raw(tx).execute(
                "INSERT INTO auth_role (code, title, scope, builtin, granted, withheld, version, changed_at)"
                " VALUES ($1, $2, $3, false, $4, '[]', 1, $5)",
                code,
                title,
                scope.value,
                _json(permissions),
                clock.now(),
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyExists("there is a role of this code") from None
        trail.named(code)
        trail.said(permissions=" ".join(sorted(permissions)))
    return await queries.get_role(code)


async def change_role(
    code: str,
    title: str,
    permissions: frozenset[Permission],
    second_factor: bool | None,
    version: int,
    caller: StaffCaller,
) -> RoleInfo:
    """Say what a role holds, from the next call of its people on; of a built-in one the name stays.

    Args:
        second_factor: whether its people need one before they do anything; None: as it is.
    """
    async with db.transaction() as tx:
        role = await _lock(tx, code, version)
        needs = role.second_factor if second_factor is None else second_factor
        if (role.code == Role.ADMIN and permissions != role.permissions) or (role.builtin and title != role.title):
            raise RoleConflict("what is built in keeps its name, and who may do everything keeps all")
        _check(role.scope, permissions, role.permissions, caller)
        if (needs is not role.second_factor or title != role.title) and not role.permissions <= caller.permissions:
            raise BeyondOneself
        given = rules.permissions_of(code, (), ()) if role.builtin else frozenset[Permission]()
        await db.raw(tx).execute(
            "UPDATE auth_role SET title = $2, granted = $3, withheld = $4, second_factor = $5, version = version + 1,"
            " changed_at = $6 WHERE code = $1",
            code,
            title,
            _json(permissions - given),
            _json(given - permissions),
            needs,
            clock.now(),
        )
        moved = {"title": title != role.title, "second_factor": needs is not role.second_factor}
        trail.changed("role", "permissions", *(field for field, is_moved in moved.items() if is_moved))
        trail.said(
            granted=" ".join(sorted(permissions - role.permissions)),
            withheld=" ".join(sorted(role.permissions - permissions)),
        )
    return await queries.get_role(code)


async def remove_role(code: str, version: int, caller: StaffCaller) -> None:
    """Take a role of the chain's own away that nobody has any more."""
    async with db.transaction() as tx:
        role = await _lock(tx, code, version)
        if role.builtin:
            raise RoleConflict("what is built in stays")
        if not role.permissions <= caller.permissions:
            raise BeyondOneself
        try:
            await db.raw(tx).execute("DELETE FROM auth_role WHERE code = $1", code)
        except (asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError):
            raise RoleConflict("somebody has this role, or was invited to it") from None


async def _lock(tx: Tx, code: str, version: int) -> RoleInfo:
    rows = await db.fetch_in(
        tx,
        "SELECT code, title, scope, builtin, granted, withheld, second_factor, version FROM auth_role"
        " WHERE code = $1 FOR UPDATE",
        code,
    )
    if not rows:
        raise NotFound("there is no such role")
    if rows[0]["version"] != version:
        raise RoleConflict
    return queries.role_of(rows[0])


def _check(scope: Scope, permissions: frozenset[Permission], before: Iterable[Permission], caller: StaffCaller) -> None:
    """Refuse changes beyond what the caller may do, and what somebody of a store never holds."""
    if not permissions.symmetric_difference(before) <= caller.permissions:
        raise BeyondOneself
    if scope is Scope.STORE and (beyond := sorted(one for one in permissions if one.office)):
        raise invalid("/permissions", f"nobody of a store holds {beyond[0]}")


def _json(permissions: Iterable[Permission]) -> str:
    return msgspec.json.encode(sorted(permissions)).decode()
