"""Attributes that the demo chain wants to know, with what some members said."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from backend.auth.queries import get_caller
from backend.kernel import db
from backend.members.commands import definitions, profile
from backend.members.schemas import BoundsBody, ChangeProfile, CreateAttribute, EditMember, OptionBody
from backend.members.types import AttributeType, Reach

STAFF = (Reach.STORE, Reach.OFFICE)


def _options(**names: str) -> tuple[OptionBody, ...]:
    return tuple(OptionBody(code=code, name=name) for code, name in names.items())


ATTRIBUTES = (
    CreateAttribute(
        code="city",
        name="所在城市",
        type=AttributeType.CHOICE,
        options=_options(sh="上海", hz="杭州", nj="南京", wx="无锡"),
        group="生活",
        position=1,
    ),
    CreateAttribute(
        code="tastes",
        name="口味偏好",
        type=AttributeType.CHOICES,
        options=_options(sweet="偏甜", light="清淡", spicy="重辣"),
        bounds=BoundsBody(most=2),
        group="生活",
        position=2,
    ),
    CreateAttribute(
        code="allergy",
        name="过敏",
        type=AttributeType.TEXT,
        bounds=BoundsBody(max_length=30),
        at_till=True,
        group="生活",
        position=3,
    ),
    CreateAttribute(
        code="household",
        name="家庭人数",
        type=AttributeType.NUMBER,
        bounds=BoundsBody(at_least=1, at_most=20),
        group="家庭",
        position=4,
    ),
    CreateAttribute(code="child_born_on", name="孩子生日", type=AttributeType.DATE, group="家庭", position=5),
    CreateAttribute(code="has_pet", name="养宠物", type=AttributeType.BOOLEAN, group="家庭", position=6),
    CreateAttribute(
        code="visit_note",
        name="到店备注",
        type=AttributeType.TEXT,
        seen_by=STAFF,
        edited_by=STAFF,
        group="门店",
        position=7,
    ),
)
FILLED = 40


async def load() -> None:
    """Everything once: definitions, what members filled in on their phones, and a correction by a store."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    admin = await get_caller(staff_id)
    for body in ATTRIBUTES:
        await definitions.create_attribute(admin, body)
    rows = await db.fetch(
        "SELECT id FROM member WHERE status = 'active' AND store_id IS NOT NULL ORDER BY created_at, id LIMIT $1",
        FILLED,
    )
    for place, row in enumerate(rows):
        await profile.change_profile(row["id"], ChangeProfile(attributes=_said(place)))
    if rows:
        version = await db.fetchval("SELECT version FROM member WHERE id = $1", rows[0]["id"])
        edit = EditMember(version=version, reason="到店登记", attributes={"visit_note": "周末常来，喜欢试吃"})
        await profile.edit_member(admin, str(rows[0]["id"]), edit)


def _said(place: int) -> dict[str, Any]:
    said: dict[str, Any] = {"city": ("sh", "hz", "nj")[place % 3], "household": 1 + place % 5}
    if place % 2:
        said["tastes"] = ["sweet", "light"] if place % 4 == 1 else ["spicy"]
    if place % 8 == 0:
        said["allergy"] = "花生"
    if place % 5 == 0:
        said["child_born_on"] = (date(2020, 1, 1) + timedelta(days=37 * place)).isoformat()
    return said | {"has_pet": place % 3 == 0}
