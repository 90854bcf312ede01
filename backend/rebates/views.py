"""Rebates as members and staff are shown them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from backend.groups import queries as groups
from backend.groups.types import GroupRole, SubMember
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.ledger import queries as ledger
from backend.ledger.plans import REBATE
from backend.members import queries as members
from backend.members.types import Listed

from .queries import facts, schemes, statements
from .rules import accrual, periods
from .schemas import (
    CorrectionOut,
    CountedOut,
    FiguresOut,
    LotOut,
    MemberRebatesOut,
    PartOut,
    RunningOut,
    RunOut,
    RunStatementOut,
    SchemeOut,
    StatementDetail,
    StatementOut,
    StoreOut,
    TierOut,
    VersionOut,
)
from .types import Body, Correction, Figure, Part, PeriodKind, Run, Running, Scheme, Statement, Terms, Version

FEW = 6
"""Statements that the member's first view shows."""

MOST_PAGES = 10
"""Pages of a period's purchases that are counted while a phone waits; a statement counts all of them."""


def scheme(one: Scheme) -> SchemeOut:
    """A scheme as staff see it."""
    return SchemeOut(**_fields(one) | {"staff_id": str(one.staff_id)})


def version(one: Version) -> VersionOut:
    """A version as staff see it."""
    return VersionOut(**_fields(one) | {"staff_id": str(one.staff_id)})


def run(one: Run) -> RunOut:
    """A run as staff see it."""
    people = {"staff_id": _text(one.staff_id), "closed_by": _text(one.closed_by)}
    return RunOut(**_fields(one) | _period(one) | people)


def _fields(one: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _text(staff_id: int | None) -> str | None:
    return None if staff_id is None else str(staff_id)


def _period(one: Run | Statement) -> dict[str, Any]:
    period = one.period
    return {
        "period": period.kind,
        "first_on": period.first,
        "last_on": period.last,
        "title": periods.title(period),
    }


async def figures(of: Run, found: Sequence[Figure]) -> FiguresOut:
    """What a run came to, by tier and by store."""
    titles = await schemes.list_titles(sorted({one.scheme_id for one in found}))
    tiers: dict[tuple[str, int], TierOut] = {}
    stores: dict[tuple[str, str], StoreOut] = {}
    for one in found:
        named = {"scheme_id": one.scheme_id, "scheme": titles.get(one.scheme_id, one.scheme_id)}
        if one.base_fen:
            tier = tiers.setdefault(
                (one.scheme_id, one.tier), TierOut(**named, tier=one.tier, members=0, base_fen=0, fen=0)
            )
            tier.members += one.members
            tier.base_fen += one.base_fen
            tier.fen += one.fen
        store = stores.setdefault(
            (one.scheme_id, one.store_id),
            StoreOut(**named, store_id=one.store_id, base_fen=0, fen=0, corrected_fen=0),
        )
        store.base_fen += one.base_fen
        store.fen += one.fen
        store.corrected_fen += one.corrected_fen
    return FiguresOut(run=run(of), tiers=list(tiers.values()), stores=list(stores.values()))


def statement(one: Statement) -> StatementOut:
    """A statement in a list."""
    fields = {name: getattr(one, name) for name in StatementOut.__struct_fields__ if hasattr(one, name)}
    return StatementOut(**fields | _period(one))


def detail(one: Statement, body: Body) -> StatementDetail:
    """A statement in full."""
    return StatementDetail(
        **_fields(statement(one)),
        parts=[_part(part) for part in body.parts],
        corrections=[_correction(correction) for correction in body.corrections],
    )


def _part(part: Part) -> PartOut:
    fields = {name: getattr(part, name) for name in PartOut.__struct_fields__ if name not in ("given", "lines")}
    lines = [CountedOut(sale_id=one.sale_id, on=one.on, store_id=one.store_id, fen=one.fen) for one in part.lines]
    return PartOut(**fields, given=part.won, lines=lines)


def _correction(one: Correction) -> CorrectionOut:
    return CorrectionOut(
        title=periods.span(one.first, one.last),
        first_on=one.first,
        last_on=one.last,
        was_fen=one.was_fen,
        now_fen=one.now_fen,
        fen=one.now_fen - one.was_fen,
    )


def run_statements(found: Iterable[Statement], names: Mapping[int, Listed]) -> list[RunStatementOut]:
    """Statements in a run's list, with whose they are."""
    shown = []
    for one in found:
        who = names.get(one.holder_id)
        shown.append(
            RunStatementOut(
                **_fields(statement(one)),
                member_id=str(one.holder_id),
                member_no=who.member_no if who else "",
                name_masked=who.name_masked if who else "",
                refusal=one.refusal,
            )
        )
    return shown


async def member(member_id: int) -> MemberRebatesOut:
    """What a member's phone shows."""
    on = clock.local_date(clock.now(), settings().timezone)
    snapshot = await ledger.get_snapshot(member_id, on)
    lots = await ledger.list_open_lots(member_id, REBATE)
    ends: dict[object, LotOut] = {}
    for lot in lots:
        if lot.expires_on is None or lot.expires_on >= on:
            shown = ends.setdefault(lot.expires_on, LotOut(0, lot.expires_on))
            shown.fen += lot.remaining
    return MemberRebatesOut(
        rebate_fen=snapshot.spendable(REBATE),
        lots=list(ends.values()),
        waiting_fen=await statements.get_owed(member_id),
        running=[running(one) for one in await list_running(member_id)],
        statements=[statement(one) for one in await statements.list_of_member(member_id, None, FEW)],
    )


async def list_running(member_id: int) -> list[Running]:
    """Where a member stands in the schemes of the current periods that are about them."""
    on = clock.local_date(clock.now(), settings().timezone)
    level = (await members.get_level_state(member_id)).own
    belongs = await groups.find_belonging(member_id)
    is_key = await groups.find_key_account(member_id) is not None
    found = []
    for kind in PeriodKind:
        period = periods.period_of(kind, on)
        applied = [one for one in await schemes.list_applied(period) if one.first <= on]
        if not applied:
            continue
        parts, until = await facts.accrue_first(
            db.fetch, applied, member_id, period.first, period.last, most_pages=MOST_PAGES
        )
        for one, part in zip(applied, parts, strict=True):
            if part.base_fen or _is_about(one.terms, level, belongs, is_key=is_key):
                following = accrual.next_tier(one.terms, part.base_fen)
                missing = following.from_fen - part.base_fen if following else 0
                found.append(
                    Running(scheme=one, period=period, part=part, next_tier=following, missing_fen=missing, until=until)
                )
    return found


def _is_about(terms: Terms, level: str, belongs: SubMember | None, *, is_key: bool) -> bool:
    if terms.for_owner and belongs is not None and belongs.role is not GroupRole.OWNER:
        return False
    group_id = belongs.group_id if belongs else None
    if (terms.levels and level not in terms.levels) or (terms.groups and group_id not in terms.groups):
        return False
    return is_key or not terms.key_accounts


def running(one: Running) -> RunningOut:
    """Where a member stands in a scheme."""
    return RunningOut(
        scheme_id=one.scheme.id,
        title=one.scheme.title,
        period=one.period.kind,
        first_on=one.period.first,
        last_on=one.period.last,
        period_title=periods.title(one.period),
        terms=one.scheme.terms,
        base_fen=one.part.base_fen,
        tier=one.part.tier,
        rate_bp=one.part.rate_bp,
        fen=one.part.fen,
        capped=one.part.capped,
        given=one.part.won,
        next_tier=one.next_tier,
        missing_fen=one.missing_fen if one.next_tier else None,
        counted_until=one.until,
    )
