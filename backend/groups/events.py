"""What happens among a group's people that others follow."""

from __future__ import annotations

from backend.kernel.events import Event


class AllotmentTakenBack(Event, frozen=True, kw_only=True):
    """What a group's owner had allotted is theirs again, or so much of it: ``taken`` of it by now, in fen or points."""

    allotment_id: str
    taken: int
