"""Entries and members as a subscriber sees them, whether it asks or is called: its own fields and no others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from backend.members import queries as members
from backend.members import telling
from backend.members.types import MemberChange

from . import rules, schemas
from .types import Entry, EntryKind, Subscriber

PLAIN = (
    ("name", "姓名", True),
    ("phone", "手机号", True),
    ("birthday", "生日", True),
    ("gender", "性别", True),
    ("email", "邮箱", True),
    ("store_id", "所属门店", False),
    ("status", "状态", False),
    ("level", "等级", False),
    ("stage", "生命周期", False),
    ("registered_at", "注册时间", False),
    ("valid_from", "有效期起", False),
    ("valid_until", "有效期止", False),
    ("card_type", "会员卡种", False),
    ("merged_into", "并入的会员", False),
    ("third_party", "与合作方共享", False),
    ("attributes", "全部扩展属性", True),
)
"""The fields of members that there are without extension attributes: code, name, and whether it is personal."""


class Batch(msgspec.Struct, frozen=True):
    """The body of a delivery. Source: Standard Webhooks, "Payload structure"."""

    type: str
    timestamp: datetime
    data: Sequence[schemas.EntryOut]


async def fields() -> list[schemas.FieldOut]:
    """The fields that a subscriber can be given, extension attributes one by one, too."""
    own = [(f"attributes.{one.code}", one.name, True) for one in await members.list_attributes()]
    return [schemas.FieldOut(*field) for field in (*PLAIN, *own)]


async def shown(entries: Sequence[Entry], subscriber: Subscriber) -> list[schemas.EntryOut]:
    """These entries, in order; what the subscriber may see nothing of is left out."""
    numbers = await members.list_numbers(sorted({one.member_id for one in entries}))
    noted = await members.list_changes_by_id([change_id for one in entries for change_id in _change_ids(one)])
    by_id, allowed = {one.id: one for one in noted}, frozenset(subscriber.fields)
    sharing = await _sharing(sorted(numbers)) if subscriber.partner else None
    found: list[schemas.EntryOut] = []
    for entry in entries:
        changes = [by_id[change_id] for change_id in _change_ids(entry) if change_id in by_id]
        if sharing is not None and not sharing.agrees(entry.member_id):
            found += _taken_back(entry, numbers, changes, told=entry.member_id in sharing.agreed)
            continue
        visible = _visible(entry, changes, allowed, sharing)
        if visible or entry.kind is EntryKind.REGISTERED:
            member = schemas.MemberRef(str(entry.member_id), numbers.get(entry.member_id, ""))
            found.append(_entry(entry, member, changes, visible))
    return found


class _Sharing(msgspec.Struct, frozen=True):
    """What members say to other companies' being told of them: whether they agree, and their last word in the log."""

    agreed: Mapping[int, str]
    said: Mapping[int, MemberChange]

    def agrees(self, member_id: int) -> bool:
        """Whether the member agrees now."""
        return self.agreed.get(member_id) == rules.AGREED


async def _sharing(member_ids: Collection[int]) -> _Sharing:
    said = await members.list_newest_changes(member_ids, rules.SHARING)
    return _Sharing(agreed=await _agreed(member_ids), said=said)


async def _agreed(member_ids: Collection[int]) -> Mapping[int, str]:
    """Who agrees that other companies are told of them (``yes``), or did once; who never did is absent."""
    return await telling.readers()[rules.SHARING](member_ids)


def _visible(
    entry: Entry, changes: Sequence[MemberChange], allowed: Collection[str], sharing: _Sharing | None
) -> list[schemas.ChangeOut]:
    """What a subscriber sees of an entry: another company what became of the member since they agreed to it.

    That they agreed, or that it is over, it is told whatever fields it has, also while their word is not deleted yet.
    """
    if sharing is None:
        visible, moved = [one for one in changes if rules.seen(one.field, allowed)], True
    else:
        said = sharing.said.get(entry.member_id)
        heard = [*_over(changes), *(one for one in changes if one.field == rules.SHARING)]
        visible = [
            one
            for one in changes
            if one in heard or (rules.seen(one.field, allowed) and (said is None or one.id > said.id))
        ]
        moved = said is None or entry.at > said.at
    now = [field for field in ("level", "stage") if moved and field in entry.body and field in allowed]
    return [_change(one) for one in visible] + [schemas.ChangeOut(field, None, entry.body[field]) for field in now]


def _taken_back(
    entry: Entry, numbers: Mapping[int, str], changes: Sequence[MemberChange], *, told: bool
) -> Iterator[schemas.EntryOut]:
    """What another company hears of a member who does not agree (any more), if it heard of them: that it is over."""
    if told and (over := _over(changes)):
        member = schemas.MemberRef(str(entry.member_id), numbers.get(entry.member_id, ""))
        yield _entry(entry, member, over, [_change(one) for one in over])


def _over(changes: Sequence[MemberChange]) -> Sequence[MemberChange]:
    return [one for one in changes if rules.is_over(one.field, one.after, erased=one.erased)]


def _entry(
    entry: Entry, member: schemas.MemberRef, changes: Sequence[MemberChange], visible: list[schemas.ChangeOut]
) -> schemas.EntryOut:
    by = changes[0].by if changes else None
    return schemas.EntryOut(
        seq=entry.seq,
        type=entry.kind,
        at=changes[0].at if changes else entry.at,
        member=member,
        by=schemas.ByOut(by.kind.value, None if by.id is None else str(by.id)) if by else None,
        changes=visible,
    )


def _change_ids(entry: Entry) -> list[int]:
    return [int(change_id) for change_id in entry.body.get("changes", ())]


def _change(one: MemberChange) -> schemas.ChangeOut:
    return schemas.ChangeOut(one.field, one.before, one.after, erased=one.erased)


async def snapshot(after: int, limit: int, subscriber: Subscriber) -> tuple[list[schemas.SnapshotItem], int | None]:
    """Of the members with the ids that follow those that are told, as they are now; and where to go on."""
    allowed = frozenset(subscriber.fields)
    records = await members.list_records(after, limit)
    following = records[-1].id if len(records) == limit else None
    if subscriber.partner:
        agreed = await _agreed([one.id for one in records])
        records = [one for one in records if agreed.get(one.id) == rules.AGREED]
    items = [
        schemas.SnapshotItem(schemas.MemberRef(str(one.id), one.member_no), _seen(one.fields, allowed))
        for one in records
    ]
    return items, following


def _seen(fields: dict[str, Any], allowed: frozenset[str]) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if rules.seen(field, allowed)}
