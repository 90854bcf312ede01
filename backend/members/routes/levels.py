"""Staff's calls about levels."""

from __future__ import annotations

from backend.auth.guards import staff
from backend.auth.types import Permission
from backend.kernel.http import Router

from .. import queries, schemas
from ..commands import levels
from ..errors import (
    LevelExists,
)
from ..types import Level

router = Router(tag="member")


@router.get("/v1/admin/levels", guard=staff(Permission.MEMBERS_READ), summary="会员等级")
async def list_levels() -> schemas.LevelList:
    """Every level, lowest first."""
    return schemas.LevelList(items=await queries.list_levels())


@router.post(
    "/v1/admin/levels", guard=staff(Permission.LEVELS_WRITE), status=201, errors=(LevelExists,), summary="新增等级"
)
async def create_level(body: schemas.CreateLevel) -> Level:
    """Add a level."""
    await levels.create_level(body.code, body)
    return await queries.get_level(body.code)


@router.put("/v1/admin/levels/{code}", guard=staff(Permission.LEVELS_WRITE), errors=(LevelExists,), summary="修改等级")
async def change_level(code: schemas.LevelCode, body: schemas.LevelBody) -> Level:
    """Replace a level's terms."""
    await levels.change_level(code, body)
    return await queries.get_level(code)
