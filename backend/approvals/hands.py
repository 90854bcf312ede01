"""In whose hands logins may be. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from backend.auth.types import Tie

Ties = Mapping[int, list[Tie]]


def by_login(ties: Iterable[Tie]) -> Ties:
    """Ties by the login that they are about."""
    found: defaultdict[int, list[Tie]] = defaultdict(list)
    for tie in ties:
        found[tie.login].append(tie)
    return found


def holders(login: int, ties: Ties, since: datetime, until: datetime) -> frozenset[int]:
    """Who may hold a login: itself, who made it or set its password between then, and whoever may hold those.

    So who makes a login that makes logins may hold them all. Two who both had a third in their hands do not hold each
    other: who set the password of somebody whom another made is not that other.
    """
    found, ahead = {login}, [login]
    while ahead:
        for tie in ties.get(ahead.pop(), ()):
            if since < tie.at <= until and tie.holder not in found:
                found.add(tie.holder)
                ahead.append(tie.holder)
    return frozenset(found)


def of_both(
    asked_by: int, asked_at: datetime, decided_by: int, decided_at: datetime, ties: Ties, new: timedelta
) -> frozenset[int]:
    """Who may have held the login that asked when it did, and the one that decided when it did.

    ``new``: for how long a login may be its maker's, too. Who asked is judged as of then: what a new login asks for is
    not its maker's to approve some days later.
    """
    asker = holders(asked_by, ties, asked_at - new, decided_at)
    return asker & holders(decided_by, ties, decided_at - new, decided_at)
