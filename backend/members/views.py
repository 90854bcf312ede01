"""Members as the calls' answers show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from backend.auth import queries as auth
from backend.auth.types import Permission, StaffCaller

from . import queries, rules, schemas
from .types import ActorKind, Level, Member, MemberChange, ProfileField, Reach


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
        attributes=await queries.shown_to(found.attributes, Reach.MEMBER),
        pin_set=found.pin_set,
        valid_from=found.validity.valid_from,
        valid_until=found.validity.valid_until,
    )


async def admin_view(found: Member, caller: StaffCaller) -> schemas.AdminMember:
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
        attributes=await queries.shown_to(found.attributes, queries.reach_of(caller), caller.permissions),
        store_id=found.store_id,
        growth_fen=found.growth_fen,
        created_at=found.created_at,
        version=found.version,
        valid_from=found.validity.valid_from,
        valid_until=found.validity.valid_until,
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


async def changes_view(found: Sequence[MemberChange], caller: StaffCaller) -> list[schemas.MemberChangeView]:
    """Changes as somebody of the staff may see them."""
    people = [one.by.id for one in found if one.by.kind is ActorKind.STAFF and one.by.id is not None]
    names = await auth.staff_names(people)
    reach, permissions = queries.reach_of(caller), caller.permissions
    known = await queries.attributes()
    hidden = {one.code for one in known if not rules.attributes.sees(one, reach, permissions)}
    return [_change_view(one, caller, names, hidden) for one in found]


def _change_view(
    change: MemberChange, caller: StaffCaller, names: Mapping[int, str], hidden: Collection[str]
) -> schemas.MemberChangeView:
    code = change.field.removeprefix("attributes.")
    open_ = caller.may(Permission.MEMBERS_READ) and not (code != change.field and code in hidden)
    before, hid_before = rules.shown_value(change.field, change.before, open_=open_)
    after, hid_after = rules.shown_value(change.field, change.after, open_=open_)
    by = change.by
    staff = by.id if by.kind is ActorKind.STAFF else None
    return schemas.MemberChangeView(
        id=str(change.id),
        at=change.at,
        by=schemas.ActorView(by.kind, str(by.id) if by.id is not None else None, names.get(staff) if staff else None),
        field=change.field,
        before=before,
        after=after,
        masked=hid_before or hid_after,
        erased=change.erased,
        reason=change.reason,
    )


async def form_view(member_id: int | None) -> schemas.ProfileForm:
    """What a form for one's own profile holds; None: of somebody who registers."""
    said = await queries.field_rules()
    fields = []
    for field in ProfileField:
        often = said.often(field)
        left = often
        if often and member_id is not None:
            left = max(0, often - await queries.count_own_changes(member_id, field))
        fields.append(schemas.FormField(field, left is None or left > 0, left))
    return schemas.ProfileForm(
        fields=fields,
        attributes=[
            schemas.FormAttribute(
                code=one.code,
                name=one.name,
                type=one.type,
                bounds=one.bounds,
                options=list(one.options),
                required=one.required,
                editable=rules.attributes.edits(one, Reach.MEMBER),
                group=one.group,
            )
            for one in await queries.attributes()
            if not one.archived and rules.attributes.sees(one, Reach.MEMBER)
        ],
    )
