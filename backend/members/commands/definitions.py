"""What staff define: attributes, and what members may change themselves."""

from __future__ import annotations

import msgspec

from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, logging
from backend.kernel.db import Tx
from backend.kernel.errors import invalid

from .. import locks, queries, rules
from ..errors import AttributeExists, TooManyAttributes, VersionConflict
from ..schemas import AttributeBody, ChangeAttribute, CreateAttribute, PutFieldRules
from ..types import Attribute, FieldRules, ProfileField

log = logging.get(__name__)

_COLUMNS = ("code", "position", "archived", "version")
_LEGACY = "SELECT EXISTS (SELECT FROM member WHERE attributes ? $1)"


async def create_attribute(caller: StaffCaller, body: CreateAttribute) -> Attribute:
    """Define an attribute; ``AttributeExists`` for a code that is taken, also by values from before definitions."""
    new = _checked(body, code=body.code)
    if await db.fetchval(_LEGACY, body.code):
        raise AttributeExists
    async with db.transaction() as tx:
        await db.raw(tx).execute("LOCK TABLE member_attribute IN SHARE ROW EXCLUSIVE MODE")  # for the number of them
        known = await db.fetch_in(tx, "SELECT code FROM member_attribute")
        if body.code in {row["code"] for row in known}:
            raise AttributeExists
        if len(known) >= rules.attributes.MOST_ATTRIBUTES:
            raise TooManyAttributes
        await _write(tx, caller, new, "created")
    queries.forget_attributes()
    return new


async def change_attribute(caller: StaffCaller, code: str, body: ChangeAttribute) -> Attribute:
    """Define an attribute anew, from the version that was read; values that members have stay good.

    The type and the options that there are stay once anybody has a value.
    """
    async with db.transaction() as tx:
        old = await locks.lock_attribute(tx, code)
        if old.version != body.version:
            raise VersionConflict(extra={"version": old.version})
        new = _checked(body, code=code, archived=old.archived, version=old.version + 1)
        rules.attributes.check_redefinition(old, new, used=await queries.is_used(code, tx))
        await _write(tx, caller, new, "changed")
    queries.forget_attributes()
    return new


async def archive_attribute(caller: StaffCaller, code: str, *, archived: bool) -> Attribute:
    """Take an attribute out of every form, card and filter, or bring it back; values stay. Again, it does nothing."""
    async with db.transaction() as tx:
        old = await locks.lock_attribute(tx, code)
        if old.archived is archived:
            return old
        new = msgspec.structs.replace(old, archived=archived, version=old.version + 1)
        await _write(tx, caller, new, "archived" if archived else "restored")
    queries.forget_attributes()
    return new


def _checked(body: AttributeBody, **columns: str | bool | int) -> Attribute:
    said = msgspec.to_builtins(body) | {"name": rules.clean_name(body.name), "group": body.group.strip()}
    new = msgspec.convert(said | columns, Attribute)
    rules.attributes.check_definition(new)
    for field in ("see_permission", "edit_permission"):
        named = getattr(new, field)
        if named is not None and named not in {one.value for one in Permission}:
            raise invalid(f"/{field}", "there is no such permission")
    return new


_WRITE = """
INSERT INTO member_attribute (code, definition, position, archived, version, changed_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (code) DO UPDATE SET definition = $2, position = $3, archived = $4, version = $5, changed_at = $6"""


async def _write(tx: Tx, caller: StaffCaller, new: Attribute, action: str) -> None:
    said = msgspec.to_builtins(new)
    definition = {name: value for name, value in said.items() if name not in _COLUMNS}
    now = clock.now()
    await db.raw(tx).execute(
        _WRITE, new.code, msgspec.json.encode(definition).decode(), new.position, new.archived, new.version, now
    )
    await queries.definition_changes.note(tx, new.code, caller.staff_id, action, said, now)
    log.info("members.attribute_defined", code=new.code, action=action, staff_id=caller.staff_id)


async def put_field_rules(caller: StaffCaller, body: PutFieldRules) -> FieldRules:
    """Say anew what members may change themselves, from the version that was read."""
    if body.changes.get(ProfileField.ADDRESSES):
        raise invalid("/changes/addresses", "must be 0 or null: addresses are not counted")
    changes = {field: body.changes.get(field) for field in ProfileField}
    said = msgspec.json.encode(changes).decode()
    async with db.transaction() as tx:
        written = await db.fetch_in(tx, _PUT_RULES if body.version else _FIRST_RULES, said, body.version)
        if not written:
            raise VersionConflict
        detail = {"changes": msgspec.to_builtins(changes), "version": written[0]["version"]}
        await queries.definition_changes.note(tx, queries.FIELD_RULES, caller.staff_id, "changed", detail, clock.now())
    queries.forget_field_rules()
    log.info("members.field_rules_changed", staff_id=caller.staff_id)
    return FieldRules(changes, written[0]["version"])


_PUT_RULES = (
    "UPDATE member_field_rules SET changes = $1, version = version + 1 WHERE version = $2::int RETURNING version"
)
_FIRST_RULES = (
    "INSERT INTO member_field_rules (changes, version) SELECT $1, 1 WHERE $2::int = 0"
    " ON CONFLICT DO NOTHING RETURNING version"
)
