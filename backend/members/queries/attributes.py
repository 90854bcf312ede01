"""Definitions of attributes, and what members may change themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from backend.auth.types import Permission, StaffCaller
from backend.kernel import db
from backend.kernel.changes import Change, Changes
from backend.kernel.db import Tx
from backend.kernel.errors import FieldError, NotFound, ValidationFailed
from backend.kernel.kept import Kept

from .. import rules
from ..types import DEFAULT_CHANGES, Attribute, AttributeCondition, FieldRules, Gender, ProfileField, Reach
from .changes import open_value

KEPT_S = 3.0

DEFINITIONS = "SELECT code, definition, position, archived, version FROM member_attribute"

definition_changes = Changes("member_definition_change", "subject")

FIELD_RULES = "field-rules"
"""What the rules of a profile's fields are called among the changes of definitions; no attribute has a dash."""


def attribute_of(row: db.Record) -> Attribute:
    """A definition from a row of ``DEFINITIONS``."""
    said = msgspec.json.decode(row["definition"])
    columns = {name: row[name] for name in ("code", "position", "archived", "version")}
    return msgspec.convert(said | columns, Attribute)


async def list_attributes() -> list[Attribute]:
    """Every definition as it stands in the database, archived ones last, in the order of forms."""
    rows = await db.fetch(f"{DEFINITIONS} ORDER BY archived, position, code LIMIT {rules.attributes.MOST_ATTRIBUTES}")
    return [attribute_of(row) for row in rows]


_attributes = Kept(list_attributes, keep_s=KEPT_S)


async def attributes() -> list[Attribute]:
    """Every definition, at most three seconds old."""
    return await _attributes.get()


def forget_attributes() -> None:
    """Read the definitions again at the next question: they were changed here."""
    _attributes.forget()


async def get_attribute(code: str) -> Attribute:
    """One definition as it stands; ``NotFound`` for none."""
    row = await db.fetchrow(f"{DEFINITIONS} WHERE code = $1", code)
    if row is None:
        raise NotFound("there is no such attribute")
    return attribute_of(row)


_USED = """
SELECT EXISTS (SELECT FROM member_value WHERE attribute = $1 AND number IS NULL)
    OR EXISTS (SELECT FROM member_value WHERE attribute = $1 AND number IS NOT NULL)"""


async def is_used(code: str, tx: Tx | None = None) -> bool:
    """Whether any member has a value of that attribute; ``tx``: as that transaction sees it."""
    if tx is None:
        return bool(await db.fetchval(_USED, code))
    (row,) = await db.fetch_in(tx, _USED, code)
    return bool(row[0])


async def list_definition_changes(subject: str, limit: int) -> list[Change]:
    """What staff did to a definition (or to ``FIELD_RULES``), newest first, and what it was after it."""
    return await definition_changes.list_of(subject, limit)


async def _read_rules() -> FieldRules:
    row = await db.fetchrow("SELECT changes, version FROM member_field_rules")
    return rules_of(row)


def rules_of(row: db.Record | None) -> FieldRules:
    """The rules from their row; without one, those of a chain that has set nothing."""
    if row is None:
        return FieldRules(dict(DEFAULT_CHANGES))
    said = msgspec.json.decode(row["changes"], type=dict[str, int | None])
    known = {one: said[one.value] for one in ProfileField if one.value in said}
    return FieldRules(known, row["version"])


_rules = Kept(_read_rules, keep_s=KEPT_S)


async def field_rules() -> FieldRules:
    """What members may change themselves, at most three seconds old."""
    return await _rules.get()


def forget_field_rules() -> None:
    """Read the rules again at the next question: they were changed here."""
    _rules.forget()


async def get_field_rules() -> FieldRules:
    """What members may change themselves, as it stands."""
    return await _read_rules()


_OWN_CHANGES = """
SELECT count(*) FILTER (WHERE actor = 'member') AS own, min(before_sealed) FILTER (WHERE id = first) AS before,
       bool_or(actor = 'member' AND NOT erased) FILTER (WHERE id = first) AS begun
  FROM (SELECT id, actor, before_sealed, erased, min(id) OVER () AS first FROM member_change
         WHERE member_id = $1 AND field = $2) AS c"""


async def count_own_changes(member_id: int, field: ProfileField, tx: Tx | None = None) -> int:
    """How often a member changed that field themselves; ``tx``: as that transaction sees it.

    Filling in what nobody had filled in before is no change.
    """
    rows = await (db.fetch if tx is None else partial(db.fetch_in, tx))(_OWN_CHANGES, member_id, field.value)
    filled_in = rows[0]["begun"] and open_value(rows[0]["before"]) in (None, Gender.UNKNOWN)
    return int(rows[0]["own"]) - bool(filled_in)


async def wrong_conditions(
    conditions: Sequence[AttributeCondition], reach: Reach, permissions: frozenset[str] | None, *, pointer: str
) -> list[FieldError]:
    """What is wrong with conditions on attributes: some are unknown, not theirs to see, or cannot be met.

    ``permissions``: what the caller holds; None where a condition lives longer than the call: then no attribute that
    needs a permission of its own is good.
    """
    known = {one.code: one for one in await attributes()}
    if any(condition.code not in known for condition in conditions):
        forget_attributes()
        known = {one.code: one for one in await attributes()}
    wrong = list[FieldError]()
    for place, condition in enumerate(conditions):
        attribute = known.get(condition.code)
        if attribute is not None and not rules.attributes.sees(attribute, reach, permissions or ()):
            attribute = None
        try:
            rules.attributes.check_condition(condition, attribute, f"{pointer}/{place}")
        except ValidationFailed as refused:
            wrong += refused.errors
    return wrong


async def list_attributes_for(caller: StaffCaller) -> list[Attribute]:
    """The definitions that somebody of the staff may know of, as they stand: those they see, or define."""
    found = await list_attributes()
    if caller.may(Permission.MEMBER_FIELDS):
        return found
    return [one for one in found if rules.attributes.sees(one, reach_of(caller), caller.permissions)]


def attribute_condition(condition: AttributeCondition) -> tuple[str, list[Any]]:
    """A condition on ``member m`` with ``$?`` in place of each argument, and the arguments."""
    return rules.attributes.condition_sql(condition)


async def shown_to(values: Mapping[str, Any], reach: Reach, permissions: Collection[str] = ()) -> dict[str, Any]:
    """A member's values as somebody of that reach sees them, with these permissions."""
    return rules.attributes.shown(values, await attributes(), reach, permissions)


def reach_of(caller: StaffCaller) -> Reach:
    """As whom somebody of the staff sees attributes."""
    return Reach.OFFICE if caller.office else Reach.STORE


async def worded(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as one reads them, by the names of their attributes."""
    return rules.attributes.worded(values, await attributes())


async def list_at_till(member_id: int) -> dict[str, str]:
    """What of a member tills are told, as one reads it; mostly nothing, and then without asking for the member."""
    told = [one for one in await attributes() if one.at_till and rules.attributes.sees(one, Reach.STORE, _ANY)]
    if not told:
        return {}
    values = msgspec.json.decode(await db.fetchval("SELECT attributes FROM member WHERE id = $1", member_id) or "{}")
    mine = {one.code: values[one.code] for one in told if one.code in values and not one.archived}
    return rules.attributes.worded(mine, told)


_ANY = frozenset(one.value for one in Permission)
"""A till has no permissions: head office said for each attribute that tills are told of it."""
