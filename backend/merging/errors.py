"""Refusals of merging."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class MergeSame(DomainError):
    """Both numbers are the same member's."""

    code = "merge_same"
    kind = Kind.INVALID


class MergeBlocked(DomainError):
    """Something of the member's is under way; finish it first, or let it end. ``obstacles`` names it."""

    code = "merge_blocked"
    kind = Kind.CONFLICT


class MergeStatus(DomainError):
    """One of the two was merged already (``now``: the number it goes on under), or the member to keep is not active."""

    code = "merge_status"
    kind = Kind.CONFLICT


class CandidateDecided(DomainError):
    """This pair was decided about already."""

    code = "candidate_decided"
    kind = Kind.CONFLICT
