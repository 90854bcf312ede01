"""An attribute of many members at once, as a job of ``registration``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backend.auth.types import Permission, StaffCaller
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, ValidationFailed, invalid

from .. import bulk, locks, queries, rules, service
from ..schemas import AttributeValue
from ..types import Actor, Attribute, Status

GONE = "gone"
"""What became of a member who is none any more, or whom the definition does not let have the value."""


class SetAttribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An attribute, and the value that all get; null takes theirs away."""

    code: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
    value: AttributeValue


async def check(body: SetAttribute, caller: StaffCaller) -> None:
    """Refuse an attribute that the caller may not change, or a value that it cannot have."""
    try:
        definition = await queries.get_attribute(body.code)
    except NotFound:
        raise invalid("/change/code", "there is no such attribute") from None
    reach = queries.reach_of(caller)
    if definition.archived or not rules.attributes.sees(definition, reach, caller.permissions):
        raise invalid("/change/code", "there is no such attribute")
    if not rules.attributes.edits(definition, reach, caller.permissions):
        raise invalid("/change/code", "cannot be changed by you")
    if body.value is not None:
        rules.attributes.read_value(definition, body.value, "/change/value")
    elif definition.required:
        raise invalid("/change/value", "is required")


async def apply(tx: Tx, member_ids: Sequence[int], body: SetAttribute, by: bulk.BulkBy) -> Mapping[int, str]:
    """Give these members the value, as the definition stands now; who has it already is ``unchanged``."""
    left: dict[int, str] = {}
    rows = await locks.lock_members(tx, member_ids)
    definition = (await locks.hold_attributes(tx, [body.code])).get(body.code)
    for row in rows:
        stored = msgspec.json.decode(row["attributes"])
        new: dict[str, Any] | None = None
        there = row["status"] not in (Status.MERGED, Status.ERASED)
        if there and definition is not None and not definition.archived:
            new = _with(stored, body, definition)
        if new is None:
            left[row["id"]] = GONE
        elif not await service.write_profile(
            tx, row, {"attributes": new}, by=Actor.staff(by.staff_id), reason=by.reason
        ):
            left[row["id"]] = bulk.UNCHANGED
    return left | {member_id: GONE for member_id in member_ids if member_id not in {row["id"] for row in rows}}


def words(body: SetAttribute) -> str:
    """Which attribute, and what is put there."""
    return f"{body.code}：{'清除' if body.value is None else str(body.value)[:60]}"


def _with(stored: dict[str, Any], body: SetAttribute, definition: Attribute) -> dict[str, Any] | None:
    """The attributes with the value in; None where the definition does not allow it any more."""
    if body.value is None:
        return {code: value for code, value in stored.items() if code != body.code}
    try:
        value = rules.attributes.read_value(definition, body.value, "/value", kept=stored.get(body.code))
    except ValidationFailed:
        return None
    return stored | {body.code: value}


bulk.declare(
    bulk.BulkChange(
        code="attribute",
        title="设定扩展属性",
        permission=Permission.MEMBERS_EDIT,
        body=SetAttribute,
        check=check,
        apply=apply,
        words=words,
    )
)
