"""Refusals of announcements and the handbook."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class AnnouncementConflict(DomainError):
    """The announcement is in a state in which that cannot be done."""

    code = "announcement_conflict"
    kind = Kind.CONFLICT


class AnnouncementChanged(DomainError):
    """Somebody has changed this announcement meanwhile; read it again."""

    code = "announcement_changed"
    kind = Kind.CONFLICT


class HandbookConflict(DomainError):
    """The chapter is in a state in which that cannot be done."""

    code = "handbook_conflict"
    kind = Kind.CONFLICT


class HandbookChanged(DomainError):
    """Somebody has saved this chapter meanwhile; read it again."""

    code = "handbook_changed"
    kind = Kind.CONFLICT
