"""What happens to memberships that were one person's."""

from __future__ import annotations

from backend.kernel.events import Event


class MembersMerged(Event, frozen=True, kw_only=True):
    """A member was merged into this one, for good: ``source_id`` leads here from now on."""

    source_id: int
    merge_id: str
