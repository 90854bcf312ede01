"""Looking at members: what follows from their facts now is stored, told, and made their level and stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.kernel import clock, db, events
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.events import Event
from backend.members import queries as members
from backend.members import service as member_service
from backend.members.events import LevelLost, LevelReached
from backend.members.types import Level, LevelState, Stage, Status
from backend.messages import service as messages
from backend.messages.types import Letter

from .. import letters, queries
from ..queries.facts import Known
from ..queries.standings import Held
from ..rules import looking, stages
from ..rules.looking import Base, Chain, Seen
from ..rules.standing import due_on
from ..types import MOST_MONTHS, Change, Grant, Programme, StageRule, Standing, Why


class Because(msgspec.Struct, frozen=True):
    """Why staff or another domain asks to look: what its line in the history says."""

    why: Why
    by: str | None = None
    note: str | None = None


class Rules(msgspec.Struct, frozen=True):
    """Everything a look goes by, read once."""

    now: datetime
    today: date
    levels: dict[str, Level]
    chain: Chain | None
    stage_rules: tuple[StageRule, ...]

    def rank(self, code: str) -> int:
        """The place of a level, lowest first."""
        return list(self.levels).index(code)


class Outcome(msgspec.Struct, frozen=True):
    """What a look found of one member: ``reached`` by rules or growth, ``own`` with what was given; new ``lines`` of
    the history."""

    state: LevelState
    reached: str
    own: str
    stage: Stage
    seen: Seen | None
    lines: tuple[tuple[Change, str | None, str | None], ...]
    due_on: date | None


def _day_of(at: datetime) -> date:
    return clock.local_date(at, settings().timezone)


async def rules_now(programmes: Sequence[Programme] | None = None) -> Rules:
    """The rules as they stand; other ``programmes`` where somebody asks what they would do."""
    now = clock.now()
    known = list(await queries.programmes()) if programmes is None else list(programmes)
    levels = await members.levels()
    rungs = {one.version: queries.rungs_of(levels.values(), one.rules) for one in known}
    chain = Chain(known, rungs, _day_of) if known else None
    return Rules(now, _day_of(now), levels, chain, await queries.stage_rules())


async def look(tx: Tx, member_ids: Iterable[int], because: Because | None = None) -> list[Outcome]:
    """Work out level and stage of these members anew, and store and tell what is new. Holds them, in order of id.

    However often and in whatever order it is asked, the facts decide.
    """
    rules = await rules_now()
    found = await examine(tx, rules, member_ids, because)
    await _store(tx, rules, found)
    return found


async def examine(tx: Tx, rules: Rules, member_ids: Iterable[int], because: Because | None = None) -> list[Outcome]:
    """What a look would find; nothing is written but the members' locks."""
    states = await member_service.lock_levels(tx, member_ids)
    if any(state.own not in rules.levels for state in states):
        members.forget_levels()
        rules = msgspec.structs.replace(rules, levels=await members.levels())
    ids = [state.member_id for state in states]
    held = await queries.find_held(tx, ids)
    if any(one.version > (rules.chain.latest if rules.chain else 0) for one in held.values()):
        queries.forget_rules()  # somebody looked by rules that this process has not read yet
        rules = await rules_now()
    facts = await queries.load_facts(tx, states, {i: _horizon(rules, held.get(i)) for i in ids})
    given = await queries.list_live_grants(tx, ids, rules.today)
    return [
        _outcome(
            rules, state, held.get(state.member_id), facts[state.member_id], given.get(state.member_id, ()), because
        )
        for state in states
    ]


def _horizon(rules: Rules, held: Held | None) -> datetime:
    """From when purchases are needed one by one: as far as windows reach back before the base, stages before now."""
    base_at = held.base_at if held else rules.now
    days = max((rule.within_days or 0 for rule in rules.stage_rules), default=0)
    back = timedelta(days=max(31 * (MOST_MONTHS + 2), days + 2))
    if rules.chain is None:
        return rules.now - timedelta(days=days + 2)
    begin = min(base_at, rules.chain.programmes[0].since) if not held or held.base is None else base_at
    return begin - back


def _outcome(
    rules: Rules,
    state: LevelState,
    held: Held | None,
    known: Known,
    given: Collection[Grant],
    because: Because | None,
) -> Outcome:
    seen, reached = _seen(rules, state, held, known)
    own = state.own if state.locked else max([reached, *(grant.level for grant in given)], key=rules.rank)
    stage, stage_due = _stage(rules, known)
    ends = [stage_due, *(grant.until + timedelta(days=1) for grant in given if grant.until)]
    if seen is not None and rules.chain is not None and not state.locked:
        ends.append(due_on(seen.standing, rules.chain.rungs[seen.base.version], rules.today))
    lines = _lines(rules, state, held, seen, own, given, because)
    return Outcome(state, reached, own, stage, seen, lines, min((day for day in ends if day), default=None))


def _seen(rules: Rules, state: LevelState, held: Held | None, known: Known) -> tuple[Seen | None, str]:
    """The standing by rules and its level, or the level by growth; while it is locked, it stays as it was."""
    before = held.standing.level if held and held.standing else state.own
    if rules.chain is None:
        reached = looking.by_growth(state.growth_fen, rules.levels.values()).code
        return None, before if state.locked else max(before, reached, key=rules.rank)
    if state.locked:
        standing = Standing(before, rules.today, rules.today)
        return Seen(Base(rules.chain.latest, standing, rules.now, judge=True), standing, (), ()), before
    if held is None or held.base is None:
        base = looking.first_base(rules.chain, before, state.created_at)
    else:
        base = Base(held.version, held.base, held.base_at, held.judge)
    seen = looking.look(rules.chain, base, known.facts, rules.now)
    return seen, seen.standing.level


def _stage(rules: Rules, known: Known) -> tuple[Stage, date | None]:
    facts, back = known.facts, dict[str, int]()
    for one in facts.returns:
        back[one.sale_id] = back.get(one.sale_id, 0) + one.fen
    days = tuple(one.on for one in facts.purchases if one.spent_fen > back.get(one.id, 0) and one.on <= rules.today)
    more = facts.older.purchases
    if not days and known.last_on is not None:
        days, more = (known.last_on,), more - 1
    habits = stages.Habits(facts.joined_on, days, more)
    stage = stages.stage_of(rules.stage_rules, habits, rules.today)
    return stage, stages.next_change(rules.stage_rules, habits, rules.today)


def _lines(
    rules: Rules,
    state: LevelState,
    held: Held | None,
    seen: Seen | None,
    own: str,
    given: Collection[Grant],
    because: Because | None,
) -> tuple[tuple[Change, str | None, str | None], ...]:
    """What is new in the history: the standing's own steps, unless something that was given hides them."""
    steps, as_told = looking.untold(seen.changes if seen else (), held.told if held else ())
    until = seen.standing.until if seen else None
    if steps and as_told and steps[-1].level == own and steps[0].source == state.own and because is None:
        return tuple((step, step.sale_id, None) for step in steps)
    if own == state.own and because is None:
        kept = [step for step in steps if step.why is Why.KEPT and step.level == own and as_told]
        return tuple((step, None, None) for step in kept)
    if own == state.own:
        return ((Change(rules.today, because.why, own, own, until), because.by, because.note),) if because else ()
    why = because.why if because else _why(rules, seen, steps, state.own, own)
    ends = next((grant.until for grant in given if grant.level == own), until)
    change = Change(rules.today, why, state.own, own, ends)
    return ((change, because.by if because else None, because.note if because else None),)


def _why(rules: Rules, seen: Seen | None, steps: Sequence[Change], source: str, own: str) -> Why:
    if seen is None and rules.rank(own) > rules.rank(source):
        return Why.PROMOTED
    if steps and steps[-1].level == own:
        return steps[-1].why
    return Why.GRANT_ENDED if rules.rank(own) < rules.rank(source) else Why.CORRECTED


_STANDINGS = """
INSERT INTO lifecycle_standing (member_id, version, base, base_at, judge, standing, told, until, due_on, at)
SELECT id, version, base::jsonb, base_at, judge, standing::jsonb, told::jsonb, until, due_on, $10
  FROM unnest($1::bigint[], $2::int[], $3::text[], $4::timestamptz[], $5::bool[], $6::text[], $7::text[], $8::date[],
              $9::date[]) AS w (id, version, base, base_at, judge, standing, told, until, due_on)
    ON CONFLICT (member_id) DO UPDATE
       SET version = EXCLUDED.version, base = EXCLUDED.base, base_at = EXCLUDED.base_at, judge = EXCLUDED.judge,
           standing = EXCLUDED.standing, told = EXCLUDED.told, until = EXCLUDED.until, due_on = EXCLUDED.due_on,
           at = EXCLUDED.at"""
_LINES = """
INSERT INTO lifecycle_change (member_id, seq, at, day, why, source, level, until, by, note)
SELECT w.id, coalesce((SELECT max(seq) FROM lifecycle_change c WHERE c.member_id = w.id), 0) + w.nth, $2, w.day, w.why,
       w.source, w.level, w.until, w.by, w.note
  FROM unnest($1::bigint[], $3::int[], $4::date[], $5::text[], $6::text[], $7::text[], $8::date[], $9::text[],
              $10::text[]) AS w (id, nth, day, why, source, level, until, by, note)
 ORDER BY w.id, w.nth RETURNING member_id, seq"""


async def _store(tx: Tx, rules: Rules, found: Sequence[Outcome]) -> None:
    if not found:
        return
    await db.raw(tx).execute(
        _STANDINGS, *(list(column) for column in zip(*map(_row(rules), found), strict=True)), rules.now
    )
    moved = [one for one in found if one.own != one.state.own]
    await member_service.set_levels(tx, {one.state.member_id: (one.own, one.state.lent) for one in moved})
    for stage in Stage:
        of_stage = {one.state.member_id: stage for one in found if one.stage is stage and one.state.stage is not stage}
        await member_service.set_stages(tx, of_stage, rules.today)
    seqs = await _write_lines(tx, rules, found)
    await events.publish_many(tx, [_event(rules, one) for one in moved])
    told = [one for one in moved if one.state.status is Status.ACTIVE and (one.seen or not _rose(rules, one))]
    await messages.send(tx, [_letter(rules, one, seqs[one.state.member_id]) for one in told])


def _row(rules: Rules) -> Callable[[Outcome], tuple[object, ...]]:
    def row(one: Outcome) -> tuple[object, ...]:
        member_id, seen = one.state.member_id, one.seen
        if seen is None:
            reached = _json(Standing(one.reached, rules.today, rules.today))
            return member_id, 0, None, rules.now, False, reached, "[]", None, one.due_on
        return (
            member_id,
            seen.base.version,
            _json(seen.base.standing),
            seen.base.at,
            seen.base.judge,
            _json(seen.standing),
            _json(seen.told),
            seen.standing.until,
            one.due_on,
        )

    return row


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _write_lines(tx: Tx, rules: Rules, found: Sequence[Outcome]) -> Mapping[int, int]:
    rows = [
        (one.state.member_id, nth, step.on, step.why.value, step.source, step.level, step.until, by, note)
        for one in found
        for nth, (step, by, note) in enumerate(one.lines, 1)
    ]
    if not rows:
        return {}
    first, *rest = (list(column) for column in zip(*rows, strict=True))
    written = await db.fetch_in(tx, _LINES, first, rules.now, *rest)
    return {row["member_id"]: row["seq"] for row in written}


def _rose(rules: Rules, one: Outcome) -> bool:
    return rules.rank(one.own) > rules.rank(one.state.own)


def _event(rules: Rules, one: Outcome) -> Event:
    member_id = one.state.member_id
    if _rose(rules, one):
        return LevelReached(member_id=member_id, level=one.own)
    return LevelLost(member_id=member_id, level=one.own, source=one.state.own)


_REASONS = {
    Why.FELL: "有效期内未达到保级条件。",
    Why.TAKEN_BACK: "带来升级的消费已退货。",
    Why.GRANT_ENDED: "赠予的等级已到期或已收回。",
}


def _letter(rules: Rules, one: Outcome, seq: int) -> Letter:
    new, old = rules.levels[one.own], rules.levels[one.state.own]
    step = one.lines[-1][0]
    said = {"new_level": new.name, "old_level": old.name, "until": letters.until_text(step.until)}
    if _rose(rules, one):
        return Letter(one.state.member_id, letters.REACHED.code, said, str(seq), "#/level")
    found = [_REASONS[line.why] for line, _, _ in one.lines if line.why in _REASONS]
    said["reason"] = found[-1] if found else "等级规则有变化。"
    return Letter(one.state.member_id, letters.LOST.code, said, str(seq), "#/level")
