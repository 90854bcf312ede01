"""Good sets to begin a search with; how good decides how soon branches end, not what is found."""

from __future__ import annotations

from .allocate import lower
from .contest import Contest, Pick, members


def guess(contest: Contest, among: int, room: int, must: int) -> Pick:
    """A good set of at most ``room`` among these, with all of ``must``."""
    dearest = contest.dearest(among, room, must)
    sets = (contest.settle(dearest.picks), contest.settle(_fitting(contest, among, room, must)), contest.settle(must))
    return _shrunk(
        contest, max((each for each in sets if each.picks & must == must), key=lambda each: each.worth), must
    )


def _fitting(contest: Contest, among: int, room: int, must: int) -> int:
    """A set put together by what each coupon finds left, the most first."""
    left, picks = list(contest.payable), must
    used = {contest.group[number] for number in members(must)}
    for number in members(must):
        lower(contest.amount[number], contest.lines[number], left)
    waiting = [number for number in members(among) if contest.group[number] not in used]
    while waiting and picks.bit_count() < room:
        on_lines = [sum([left[line] for line in contest.lines[number]]) for number in waiting]
        finds = [min(contest.amount[number], found) for number, found in zip(waiting, on_lines, strict=True)]
        most = max(finds)
        if not most:
            break
        chosen = waiting[finds.index(most)]
        lower(contest.amount[chosen], contest.lines[chosen], left)
        picks |= 1 << chosen
        waiting = [
            number
            for number, found in zip(waiting, finds, strict=True)
            if found and contest.group[number] != contest.group[chosen]
        ]
    return picks


def _shrunk(contest: Contest, pick: Pick, must: int) -> Pick:
    """The set without those that add nothing to the others; the latest to expire go first."""
    untaken = contest.sum(pick.picks) - pick.total
    for number in reversed(contest.by_rank):
        bit = 1 << number
        if not pick.picks & bit & ~must or untaken < contest.amount[number]:
            continue
        without = contest.settle(pick.picks ^ bit)
        if without.total >= pick.total and without.picks & must == must:
            pick = without
            untaken = contest.sum(pick.picks) - pick.total
    return pick
