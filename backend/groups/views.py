"""Groups, their people and agreements as staff and members are shown them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.auth import queries as auth
from backend.kernel.paging import place_cursor
from backend.members import queries as members
from backend.members.types import Listed

from . import queries, rules
from .commands import spending
from .schemas import (
    AllotBatchOut,
    AllotmentOut,
    AllotmentsOut,
    GroupOut,
    KeyAccountOut,
    MyGroupOut,
    RefusedAllotmentOut,
    StatementLine,
    StatementOut,
    SubMemberOut,
)
from .types import AllotBatch, Allotment, AllotRow, Group, GroupRole, KeyAccount, Spent, SubMember

MOST_SHOWN = 200


async def _lends(found: Group) -> str | None:
    return rules.lends(found, {code: place for place, code in enumerate(await members.levels())})


async def groups(found: Sequence[Group]) -> list[GroupOut]:
    """Groups with what they lend, how many belong to each, and what they spent lately."""
    people = await queries.count_people([one.id for one in found])
    spent = await spending.spent_lately(found)
    return [
        GroupOut(
            **{name: getattr(one, name) for name in Group.__struct_fields__} | {"rules": list(one.rules)},
            lends_level=await _lends(one),
            members=people.get(one.id, 0),
            spent_fen=spent.get(one.id, 0),
        )
        for one in found
    ]


async def group(found: Group) -> GroupOut:
    """One group."""
    (shown,) = await groups([found])
    return shown


def person(found: SubMember, listed: Mapping[int, Listed], *, for_staff: bool) -> SubMemberOut:
    """A sub-member; only staff are told the member's id."""
    who = listed[found.member_id]
    shown = SubMemberOut(
        id=found.id,
        member_no=who.member_no,
        name_masked=who.name_masked,
        role=found.role,
        joined_at=found.joined_at,
        left_at=found.left_at,
    )
    if for_staff:
        shown.member_id = str(found.member_id)
    return shown


async def people(found: Sequence[SubMember], *, for_staff: bool) -> list[SubMemberOut]:
    """Sub-members."""
    listed = await members.list_masked([one.member_id for one in found])
    return [person(one, listed, for_staff=for_staff) for one in found]


async def my_group(mine: SubMember) -> MyGroupOut:
    """A member's own group; what its people are and spent only for who answers for them."""
    found = await queries.find_group(mine.group_id)
    assert found is not None
    level, levels = await _lends(found), await members.levels()
    answers = mine.role is not GroupRole.MEMBER
    shown = await queries.list_people(found.id, after=None, limit=MOST_SHOWN) if answers else []
    return MyGroupOut(
        id=found.id,
        number=found.number,
        name=found.name,
        role=mine.role,
        joined_at=mine.joined_at,
        level=level,
        level_name=levels[level].name if level else None,
        discount_bp=rules.discount_of(found, None),
        members=(await queries.count_people([found.id])).get(found.id, 0),
        member_limit=found.member_limit,
        spent_fen=(await spending.spent_lately([found])).get(found.id, 0) if answers else None,
        people=await people(shown, for_staff=False),
    )


async def statement(found: Sequence[Spent]) -> StatementOut:
    """A statement by sub-member."""
    listed = await members.list_masked([one.member_id for one in found])
    lines = [_line(one, listed[one.member_id].member_no, listed[one.member_id].name_masked) for one in found]
    together = Spent(
        member_id=0,
        purchases=sum(one.purchases for one in found),
        spent_fen=sum(one.spent_fen for one in found),
        back_fen=sum(one.back_fen for one in found),
    )
    return StatementOut(lines, _line(together, "", "合计"))


def _line(one: Spent, member_no: str, name: str) -> StatementLine:
    return StatementLine(
        member_no=member_no,
        name_masked=name,
        purchases=one.purchases,
        spent_fen=one.spent_fen,
        back_fen=one.back_fen,
        net_fen=one.spent_fen - one.back_fen,
    )


async def keys(found: Sequence[KeyAccount]) -> list[KeyAccountOut]:
    """Agreements with key accounts."""
    listed = await members.list_masked([one.member_id for one in found])
    names = await auth.staff_names({one.staff_id for one in found})
    return [
        KeyAccountOut(
            member_id=str(one.member_id),
            member_no=listed[one.member_id].member_no,
            name_masked=listed[one.member_id].name_masked,
            staff_id=str(one.staff_id),
            staff_name=names.get(one.staff_id, ""),
            discount_bp=one.discount_bp,
            level_locked=one.level_locked,
            note=one.note,
            since=one.since,
        )
        for one in found
    ]


async def allotments(found: Sequence[Allotment], limit: int) -> AllotmentsOut:
    """A page of allotments, of which one more than ``limit`` may have been found."""
    page = list(found[:limit])
    people = await members.list_masked([one.member_id for one in page])
    left = await queries.list_left(page)
    more = place_cursor(page[-1].at, page[-1].id) if len(found) > limit else None
    return AllotmentsOut([_allotment(one, people, left) for one in page], more)


async def allotment(one: Allotment) -> AllotmentOut:
    """One allotment."""
    return (await allotments([one], 1)).items[0]


def _allotment(one: Allotment, people: Mapping[int, Listed], left: Mapping[str, int]) -> AllotmentOut:
    person = people.get(one.member_id)
    return AllotmentOut(
        id=one.id,
        member_no=person.member_no if person else "",
        name=person.name_masked if person else "",
        kind=one.kind,
        amount=one.amount,
        taken=one.taken,
        left=left.get(one.id, 0),
        note=one.note,
        by_staff=one.staff_id is not None,
        at=one.at,
    )


async def batches(found: Sequence[AllotBatch], refused: Mapping[str, Sequence[AllotRow]]) -> list[AllotBatchOut]:
    """Tables of allotments, with those of their rows that were refused where they are given."""
    counts = await queries.count_rows([one.id for one in found])
    names = await auth.staff_names({one.staff_id for one in found})
    return [_batch(one, counts.get(one.id, {}), names.get(one.staff_id, ""), refused.get(one.id, ())) for one in found]


def _batch(one: AllotBatch, counts: Mapping[str, int], staff_name: str, refused: Sequence[AllotRow]) -> AllotBatchOut:
    return AllotBatchOut(
        id=one.id,
        title=one.title,
        state=one.state,
        rows=one.rows,
        posted=one.rows - sum(counts.values()),
        refused=counts.get("refused", 0),
        skipped=one.skipped,
        stored_fen=one.stored_fen,
        points=one.points,
        staff_id=str(one.staff_id),
        staff_name=staff_name,
        approval_id=one.approval_id,
        failed_row=one.failed_row,
        failure=one.failure,
        created_at=one.created_at,
        ended_at=one.ended_at,
        refused_rows=[
            RefusedAllotmentOut(row.row_no, row.member_no, row.kind, row.amount, row.refusal or "") for row in refused
        ],
    )
