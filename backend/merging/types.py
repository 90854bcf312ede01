"""What the other domains may know of merges."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

ID_PREFIX = "M"
"""Of a merge's id, by which what ended with it says so."""


class Why(StrEnum):
    """Why two members may be one person: same birthday, and the same name or one that is almost the same."""

    SAME = "same"
    SIMILAR = "similar"


class CandidateState(StrEnum):
    """What became of a pair."""

    OPEN = "open"
    DISMISSED = "dismissed"
    MERGED = "merged"


class Moved(msgspec.Struct, frozen=True):
    """What lay on the source's books when it was merged: fen and points."""

    principal_fen: int = 0
    bonus_fen: int = 0
    rebate_fen: int = 0
    points: int = 0
    points_pending: int = 0
    points_owed: int = 0


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """One merge: the source is the target's now; who asked for it, and who approved it, are staff ids."""

    id: str
    source_id: int
    target_id: int
    approval_id: str
    asked_by: int
    decided_by: int
    reason: str
    moved: Moved
    at: datetime


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A pair that may be one person; ``one_id`` is below ``other_id``."""

    id: str
    one_id: int
    other_id: int
    why: Why
    state: CandidateState
    found_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    note: str
