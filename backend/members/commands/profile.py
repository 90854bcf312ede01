"""The profile: by the member, and by staff."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from backend.auth import queries as auth_queries
from backend.auth.types import Permission, StaffCaller
from backend.kernel import clock, db, logging, trail
from backend.kernel.config import settings
from backend.kernel.db import Record, Tx
from backend.kernel.errors import FieldError, Forbidden, NotFound, invalid
from backend.wechat import service as wechat

from .. import locks, queries, rules, service
from ..errors import VersionConflict
from ..schemas import ChangePhone, ChangeProfile, EditMember
from ..types import Actor, Member, ProfileField, Reach

log = logging.get(__name__)

_OWN = (ProfileField.NAME, ProfileField.BIRTHDAY, ProfileField.GENDER, ProfileField.STORE)


async def change_profile(member_id: int, body: ChangeProfile) -> Member:
    """Change the fields that were sent, as far as the chain lets members do that; the rest stays."""
    new = await _checked(body)
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, member_id)
        for field in _OWN:
            if field.value in new and new[field.value] != row[field.value]:
                await service.check_own_change(member_id, field, tx)
        if body.attributes is not UNSET:
            new["attributes"] = await _merged(tx, row, body.attributes, Reach.MEMBER, frozenset())
        await service.write_profile(tx, row, new, by=Actor.member(member_id))
        await service.note_completed(tx, member_id)
    return await queries.get_member(member_id)


async def edit_member(caller: StaffCaller, member_id: str, body: EditMember) -> Member:
    """Change a member of a store the caller may see, for a reason; refused where somebody did so meanwhile.

    Head office moves members to any store, a store only to itself. Another phone number needs a permission more.
    """
    new = await _checked(body)
    phone = _phone(caller, body)
    if isinstance(body.store_id, str) and not caller.reaches(body.store_id):
        raise invalid("/store_id", "is not your store")
    by, row_id = Actor.staff(caller.staff_id), rules.row_id(member_id)
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, row_id)
        if not caller.reaches(row["store_id"]):
            raise NotFound("there is no such member")
        service.refuse_over(row["status"])
        if row["version"] != body.version:
            raise VersionConflict(extra={"version": row["version"]})
        if body.attributes is not UNSET:
            reach = queries.reach_of(caller)
            new["attributes"] = await _merged(tx, row, body.attributes, reach, caller.permissions)
        changes = await service.write_profile(tx, row, new, by=by, reason=body.reason)
        if phone is not None and await service.write_phone(tx, row, phone, by=by, reason=body.reason):
            changes["phone"] = ("", "")
        await service.note_completed(tx, row_id)
        trail.changed("edited", *changes)
    log.info("members.edited", member_id=row_id, staff_id=caller.staff_id, fields=sorted(changes))
    return await queries.get_member(row_id)


async def change_phone(member_id: int, body: ChangePhone) -> Member:
    """Give the member the number that WeChat vouches for; the payment PIN is asked for where there is one.

    The PIN, because a number of one's own sets a new PIN: without it a stolen session would be worth the wallet.
    """
    await service.check_own_change(member_id, ProfileField.PHONE)
    await service.check_pin(member_id, body.pin)
    phone = await wechat.phone_number(body.phone_code)
    if not rules.is_phone(phone):
        raise invalid("/phone_code", "stands for a number that is none")
    async with db.transaction() as tx:
        row = await locks.lock_member(tx, member_id)
        await service.check_own_change(member_id, ProfileField.PHONE, tx)
        await service.write_phone(tx, row, phone, by=Actor.member(member_id))
    return await queries.get_member(member_id)


async def _checked(body: ChangeProfile | EditMember) -> dict[str, Any]:
    """The columns that the body names, each judged by itself."""
    new: dict[str, Any] = {}
    if body.name is not UNSET:
        new["name"] = rules.clean_name(body.name)
    if body.birthday is not UNSET:
        rules.check_birthday(body.birthday, clock.local_date(clock.now(), settings().timezone))
        new["birthday"] = body.birthday
    if body.gender is not UNSET:
        new["gender"] = body.gender.value
    if body.store_id is not UNSET:
        await auth_queries.check_store(body.store_id, "/store_id")
        new["store_id"] = body.store_id
    return new


def _phone(caller: StaffCaller, body: EditMember) -> str | None:
    if body.phone is UNSET:
        return None
    if not caller.may(Permission.MEMBERS_PHONE):
        raise Forbidden(errors=(FieldError("/phone", "is changed by others of the staff"),))
    if not rules.is_phone(body.phone):
        raise invalid("/phone", "is no phone number")
    return body.phone


async def _merged(
    tx: Tx, row: Record, changes: dict[str, Any], reach: Reach, permissions: frozenset[str]
) -> dict[str, Any]:
    """All of a member's attributes with these changes in, by definitions that stay until the transaction ends."""
    definitions = await locks.hold_attributes(tx, changes)
    stored = msgspec.json.decode(row["attributes"])
    return rules.attributes.merge(stored, changes, definitions, reach, permissions)
