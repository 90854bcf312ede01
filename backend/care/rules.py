"""Care without a database: days, who is held out, and what a comparison says."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from math import isqrt, sqrt

from .types import Effect, Given, Group

BACK_DAYS = 7
"""Days that are made up for when nobody worked then."""

FEWEST_MEMBERS, FEWEST_BUYERS = 30, 10
"""On each side, and on both together: with fewer nothing is said of an effect."""

_Z = 1.959964
"""The normal quantile of a 95 % interval."""


def days_to_run(done_on: date | None, today: date, *, hour_come: bool) -> list[date]:
    """The local days that a plan is to be run for now: those since the last one, a week at most; today at its hour."""
    first = today if done_on is None else max(done_on + timedelta(days=1), today - timedelta(days=BACK_DAYS))
    last = today if hour_come else today - timedelta(days=1)
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def is_held_out(seed: bytes, member_id: int, occasion: str, share_bp: int) -> bool:
    """Whether chance holds this member out on this occasion.

    The draw is a hash under the plan's secret seed: as good as a die for anybody who does not know it, and the same
    when a run that was cut short is run again.
    """
    digest = hashlib.blake2b(f"{member_id}/{occasion}".encode(), key=seed, digest_size=8).digest()
    return int.from_bytes(digest) % 10_000 < share_bp


def effect(cared: Group, held: Group) -> Effect:
    """What the comparison of both groups says.

    Shares: Newcombe's interval from two Wilson scores, which keeps its word for small groups and shares near 0 or 1.
    Means: the normal interval with both variances. Everybody counts whom the plan found, whether or not the task was
    done: else those who were reached easily would be compared with all.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions, 1998, method 10.
    """
    both = cared.members > 0 and held.members > 0
    low, high = _newcombe(cared, held) if both else (None, None)
    mean_cared, mean_held = _mean(cared), _mean(held)
    margin = round(_Z * sqrt(_variance(cared) + _variance(held))) if both else None
    difference = None if mean_cared is None or mean_held is None else mean_cared - mean_held
    return Effect(
        cared_bp=_share_bp(cared),
        held_bp=_share_bp(held),
        difference_bp=_rounded(cared.bought / cared.members - held.bought / held.members) if both else None,
        low_bp=low,
        high_bp=high,
        cared_mean_fen=mean_cared,
        held_mean_fen=mean_held,
        difference_fen=difference,
        low_fen=None if difference is None or margin is None else difference - margin,
        high_fen=None if difference is None or margin is None else difference + margin,
        too_few=min(cared.members, held.members) < FEWEST_MEMBERS or cared.bought + held.bought < FEWEST_BUYERS,
    )


def _rounded(share: float) -> int:
    return round(share * 10_000)


def _share_bp(group: Group) -> int | None:
    return _rounded(group.bought / group.members) if group.members else None


def _wilson(group: Group) -> tuple[float, float, float]:
    """A share with its lower and upper Wilson bound."""
    n, share = group.members, group.bought / group.members
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return share, middle - half, middle + half


def _newcombe(cared: Group, held: Group) -> tuple[int, int]:
    p1, l1, u1 = _wilson(cared)
    p2, l2, u2 = _wilson(held)
    difference = p1 - p2
    low = difference - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = difference + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return _rounded(low), _rounded(high)


def _mean(group: Group) -> int | None:
    return round(group.spent_fen / group.members) if group.members else None


def _variance(group: Group) -> float:
    """Of the group's mean."""
    if group.members < 2:
        return 0.0
    squares = group.spent_squares - group.spent_fen**2 / group.members
    return max(0.0, squares) / (group.members - 1) / group.members


def deviation_fen(group: Group) -> int:
    """The standard deviation of what a member spent."""
    return isqrt(round(_variance(group) * group.members))


def gift_words(given: Given | None, titles: dict[str, str], template_id: str | None) -> str:
    """What a letter says of the gift: nothing where none was given."""
    if given is None:
        return ""
    parts = [f" {given.points} 积分"] if given.points else []
    if given.coupon_ids and template_id is not None:
        parts.append(f"「{titles.get(template_id, '优惠券')}」")
    return f"送您{'和'.join(parts)}，已放入您的账户。" if parts else ""
