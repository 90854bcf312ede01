"""Members as the calls' answers show them."""

from __future__ import annotations

from . import queries, schemas
from .types import Level, Member


async def view(found: Member) -> schemas.MemberView:
    """A member as the member's own phone sees it."""
    return schemas.MemberView(
        id=str(found.id),
        member_no=found.member_no,
        name=found.name,
        phone_masked=found.phone_masked,
        birthday=found.birthday,
        gender=found.gender,
        level=level_view(found.level, await _next_level(found)),
        status=found.status,
        attributes=found.attributes,
        pin_set=found.pin_set,
    )


def admin_view(found: Member) -> schemas.AdminMember:
    """A member as staff see it."""
    return schemas.AdminMember(
        id=str(found.id),
        member_no=found.member_no,
        name=found.name,
        phone_masked=found.phone_masked,
        birthday=found.birthday,
        gender=found.gender,
        level=level_view(found.level),
        status=found.status,
        attributes=found.attributes,
        store_id=found.store_id,
        growth_fen=found.growth_fen,
        created_at=found.created_at,
    )


def level_view(level: Level, following: schemas.NextLevel | None = None) -> schemas.LevelView:
    """A level, and the one above it where that is to be said."""
    return schemas.LevelView(code=level.code, name=level.name, discount_bp=level.discount_bp, next=following)


async def _next_level(found: Member) -> schemas.NextLevel | None:
    above = [
        level for level in (await queries.levels()).values() if level.growth_from_fen > found.level.growth_from_fen
    ]
    if not above or above[0].ruled:  # then `GET /v1/member/level` says how far it is
        return None
    start, goal = found.level.growth_from_fen, above[0].growth_from_fen
    progress = (found.growth_fen - start) * 10_000 // (goal - start)
    return schemas.NextLevel(above[0].name, max(0, goal - found.growth_fen), min(10_000, max(0, progress)))
