"""What a purchase is to be judged by: the occasion, and the rules that lived then. Mostly without a read.

And what a condition may say, for all that have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import Store
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, invalid
from backend.ledger import queries as ledger
from backend.members import queries as members
from backend.members.types import Card

from . import queries
from .rules.earning import cap_mark, live_at
from .schemas import ConditionIn
from .types import Earned, EarnedLine, Earning, NamedRule, Occasion, Rule

STANDARD = "基础积分"
"""What the standard rule is called."""


async def earning(card: Card, on: date, *, store: Store, at: datetime, capped: bool = False) -> Earning:
    """A purchase of this member in the store at that instant, with the rules that lived then.

    Args:
        on: the store's day, which decides whether a discount card counts.
        capped: look up what promotions added for the member on the day; a plan that did not, and takes too much of
            one, is refused as ``plans.CAP``.
    """
    multiplier_bp = card.benefit_on(on).points_multiplier_bp
    return await _earning(card.member_id, card, multiplier_bp, store=store, at=at, capped=capped)


async def earning_again(
    member_id: int, multiplier_bp: int, *, store: Store, at: datetime, capped: bool = False
) -> Earning:
    """The same for a purchase of before, whose multiplier is known: of another instant than now."""
    live = live_at(await queries.rules(), at)
    card = await members.get_card(member_id) if live else None
    return await _earning(member_id, card, multiplier_bp, store=store, at=at, capped=capped)


async def _earning(
    member_id: int, card: Card | None, multiplier_bp: int, *, store: Store, at: datetime, capped: bool
) -> Earning:
    live, rules = live_at(await queries.rules(), at), settings()
    local = at.astimezone(clock.zone(store.timezone))
    occasion = Occasion(
        level=card.level.code if card else "",
        multiplier_bp=multiplier_bp,
        per_yuan_bp=rules.points_per_yuan_bp,
        most_times_bp=rules.points_most_times_bp,
        birthday=card.birthday if card else None,
        store_id=store.id,
        at=local,
        taken=await _taken(member_id, live, local.date()) if capped else {},
    )
    return Earning(occasion, live)


async def _taken(member_id: int, live: Sequence[Rule], on: date) -> dict[str, int]:
    marks = [cap_mark(rule.id, on) for rule in live if rule.terms.day_cap is not None]
    return await ledger.guard_values(member_id, marks) if marks else {}


def after(before: Earning, earned: Sequence[Earned]) -> Earning:
    """The same after other parts of one checkout, which take of the same day's most."""
    if not any(one.caps for one in earned):
        return before
    taken = dict(before.occasion.taken)
    for use in (use for one in earned for use in one.caps):
        taken[use.mark] = taken.get(use.mark, 0) + use.points
    return msgspec.structs.replace(before, occasion=msgspec.structs.replace(before.occasion, taken=taken))


async def pretended(earning: Earning, rule_id: str) -> Earning:
    """The same as if this rule lived as it is written now; ``NotFound`` for none."""
    stored = await queries.find_rule(rule_id)
    if stored is None:
        raise NotFound("there is no such rule")
    drafted = Rule(
        id=stored.id,
        version=stored.version + 1,
        kind=stored.kind,
        title=stored.title,
        terms=stored.terms,
        from_at=stored.updated_at,
    )
    return Earning(earning.occasion, (*(rule for rule in earning.rules if rule.id != rule_id), drafted))


def explained(earned: Earned, rules: Sequence[Rule]) -> list[EarnedLine]:
    """What each line earns and why; ``rules`` are those that it was judged by."""
    titles = {rule.reference: rule.title for rule in rules}
    return [
        EarnedLine(
            line.line_no,
            line.points,
            _named(line.rule, line.points - sum(extra.points for extra in line.extras), titles),
            [_named(extra.rule, extra.points, titles) for extra in line.extras],
        )
        for line in earned.lines
    ]


def _named(reference: str | None, points: int, titles: dict[str, str]) -> NamedRule:
    if reference is None:
        return NamedRule(None, None, STANDARD, points)
    rule_id, _, number = reference.partition("/")
    return NamedRule(rule_id, int(number), titles.get(reference, ""), points)


async def told(card: Card, now: datetime) -> tuple[int, tuple[Rule, ...]]:
    """How a member earns by the standard rule, in points per ¥1 in 1/10000, and the rules that live for their level."""
    rules = settings()
    multiplier_bp = card.benefit_on(clock.local_date(now, rules.timezone)).points_multiplier_bp
    live = live_at(await queries.rules(), now)
    today = clock.local_date(now, rules.timezone)
    shown = [
        rule
        for rule in live
        if (not rule.terms.condition.levels or card.level.code in rule.terms.condition.levels)
        and (rule.terms.condition.last_on is None or rule.terms.condition.last_on >= today)
    ]
    return rules.points_per_yuan_bp * multiplier_bp // 10_000, tuple(shown)


async def check_condition(condition: ConditionIn) -> None:
    """Refuse a condition, at ``/terms/condition`` of a body, whose stores, levels, hours or days cannot be."""
    await auth.check_stores(condition.stores, "/terms/condition/stores")
    levels = await members.levels()
    for index, code in enumerate(condition.levels):
        if code not in levels:
            raise invalid(f"/terms/condition/levels/{index}", "there is no such level")
    for index, hours in enumerate(condition.hours):
        if hours.start >= hours.end:
            raise invalid(f"/terms/condition/hours/{index}/end", "must be after start")
    days = {"first_on": condition.first_on, "last_on": condition.last_on}
    days |= {f"dates/{index}": day for index, day in enumerate(condition.dates)}
    for name, day in days.items():
        if day is not None and day.year not in clock.YEARS:
            raise invalid(f"/terms/condition/{name}", "is out of range")
    if condition.first_on and condition.last_on and condition.first_on > condition.last_on:
        raise invalid("/terms/condition/last_on", "must not be before first_on")
