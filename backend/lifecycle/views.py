"""A member's level as members and staff are shown it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from backend.kernel import clock
from backend.kernel.config import settings
from backend.members import queries as members
from backend.members.types import Level, LevelState

from . import queries
from .queries.facts import Known
from .rules.counting import Ledger, first_day, met, missing
from .rules.standing import keeps
from .schemas import Criterion, EntryOut, Goal, GrantOut, LevelTerms, MemberLevelOut, RuleOfLevel, RulesOut, RunOut
from .types import MOST_MONTHS, Entry, Grant, LevelRule, Programme, Run, Rung, Standing, Thresholds, Totals, WindowKind

_METRICS = ("spend_fen", "points", "purchases")


def terms(level: Level) -> LevelTerms:
    """A level's terms."""
    return LevelTerms(
        code=level.code,
        name=level.name,
        discount_bp=level.discount_bp,
        points_multiplier_bp=level.points_multiplier_bp,
        benefits=list(level.benefits),
    )


def rules(programme: Programme) -> RulesOut:
    """A programme as staff see it."""
    fields = LevelRule.__struct_fields__
    found = [
        RuleOfLevel(level=code, **{name: getattr(rule, name) for name in fields})
        for code, rule in programme.rules.items()
    ]
    return RulesOut(version=programme.version, since=programme.since, rules=found)


async def show(member_id: int) -> MemberLevelOut:
    """Everything about a member's level as of today; ``NotFound`` for no member."""
    today, levels = clock.local_date(clock.now(), settings().timezone), await members.levels()
    state, programme = await members.get_level_state(member_id), await queries.find_programme()
    horizon = clock.now() - timedelta(days=31 * (2 * MOST_MONTHS + 2))  # a window back from the beginning of a period
    known = (await queries.load_facts(None, [state], {member_id: horizon}))[member_id]
    standing = await queries.find_standing(member_id) if programme else None
    grants = await queries.list_grants(member_id)
    rungs = queries.rungs_of(levels.values(), programme.rules if programme else {})
    return _shown(state, levels, rungs, standing, known, grants, today)


def _shown(
    state: LevelState,
    levels: Mapping[str, Level],
    rungs: list[Rung],
    standing: Standing | None,
    known: Known,
    grants: list[Grant],
    today: date,
) -> MemberLevelOut:
    ranks = {rung.code: place for place, rung in enumerate(rungs)}
    ledger = Ledger(known.facts)
    for one in known.facts.purchases:
        ledger.buy(one)
    for back in known.facts.returns:
        ledger.take_back(back.sale_id, back.fen, back.points)
    granting = [one for one in grants if live(one, today) and one.level == state.own]
    by_grant = bool(granting) and (standing is None or standing.level != state.own)
    held = standing if standing is not None and not by_grant and not state.locked else None
    rule = rungs[ranks[state.own]].rule
    effective = max([state.own, *([state.lent] if state.lent else [])], key=lambda code: ranks[code])
    return MemberLevelOut(
        level=terms(levels[effective]),
        own_level=terms(levels[state.own]),
        lent=effective != state.own,
        locked=state.locked,
        since=held.since if held else None,
        until=held.until if held else None,
        grace_until=held.until + timedelta(days=rule.grace_days) if held and held.until and rule.grace_days else None,
        granted=by_grant,
        granted_until=max((one.until for one in granting if one.until), default=None) if by_grant else None,
        keep=_keep(ledger, levels[state.own], rule, held) if held else None,
        next=[
            _next(ledger, known, levels[rung.code], rung.rule, today)
            for rung in rungs[ranks[state.own] + 1 :]
            if rung.rule.reach is not None
        ],
        ladder=[terms(level) for level in levels.values()],
        grants=[grant(one, today) for one in grants],
        stage=state.stage,
        stage_since=state.stage_since,
        growth_fen=state.growth_fen,
    )


def _keep(ledger: Ledger, level: Level, rule: LevelRule, standing: Standing) -> Goal | None:
    wanted = keeps(rule)
    if wanted is None or standing.until is None:
        return None
    last = standing.until + timedelta(days=rule.grace_days)
    have = ledger.between(standing.start, last, after=standing.sale_id)
    return _goal(level, wanted, have, standing.start, last)


def _next(ledger: Ledger, known: Known, level: Level, rule: LevelRule, today: date) -> Goal:
    assert rule.reach is not None
    first = None if rule.window.kind is WindowKind.EVER else first_day(rule.window, today, known.facts.joined_on)
    return _goal(level, rule.reach, ledger.counted(rule.window, today), first, None)


def _goal(level: Level, wanted: Thresholds, have: Totals, first: date | None, last: date | None) -> Goal:
    lacks = missing(wanted, have)
    return Goal(
        level=level.code,
        name=level.name,
        match=wanted.match.value,
        counted_from=first,
        counted_until=last,
        met=met(wanted, have),
        criteria=[
            Criterion(metric=name, wanted=getattr(wanted, name), have=getattr(have, name), missing=lacks[name])
            for name in _METRICS
            if name in lacks
        ],
    )


def live(one: Grant, today: date) -> bool:
    """Whether a grant holds on a day."""
    return one.ended_at is None and (one.until is None or one.until >= today)


def grant(one: Grant, today: date) -> GrantOut:
    """A grant as staff see it."""
    return GrantOut(
        id=one.id,
        level=one.level,
        source=one.source,
        reason=one.reason,
        until=one.until,
        staff_id=None if one.staff_id is None else str(one.staff_id),
        at=one.at,
        live=live(one, today),
    )


def entry(one: Entry, levels: Mapping[str, Level], *, for_staff: bool) -> EntryOut:
    """A line of the history; members are not shown what staff noted."""
    return EntryOut(
        seq=one.seq,
        at=one.at,
        on=one.on,
        why=one.why.value,
        source=one.source,
        level=one.level,
        source_name=levels[one.source].name,
        level_name=levels[one.level].name,
        until=one.until,
        by=one.by if for_staff else None,
        note=one.note if for_staff else None,
    )


def run(one: Run) -> RunOut:
    """A run as staff see it."""
    fields = {name: getattr(one, name) for name in Run.__struct_fields__}
    return RunOut(**fields | {"staff_id": None if one.staff_id is None else str(one.staff_id)})
