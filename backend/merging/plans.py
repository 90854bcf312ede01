"""Plans of carrying: pure. Both halves are about the merge, so that its clearing is proved over both books."""

from __future__ import annotations

from backend.ledger.plans import Guard, Leg, Plan, job_hash
from backend.members.holding import Carrying

KIND = "merged"
"""Of the transfers; the door does not ask for what this kind leaves on a merged member's books to be passed on."""


def half(member_id: int, carrying: Carrying, what: str, legs: tuple[Leg, ...], guards: tuple[Guard, ...] = ()) -> Plan:
    """One side's plan of one portion; ``what`` names it within the carrying."""
    key = f"{carrying.key}:{what}:{'out' if member_id == carrying.source_id else 'in'}"
    return Plan(
        member_id=member_id,
        kind=KIND,
        at=carrying.at,
        on=carrying.on,
        scope=KIND,
        key=key,
        hash=job_hash(KIND, carrying.source_id, carrying.target_id, key),
        about=carrying.merge_id,
        guards=guards,
        legs=legs,
    )
