"""Refusals of care."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class CarePlanConflict(DomainError):
    """The plan is in a state in which that cannot be done."""

    code = "care_plan_conflict"
    kind = Kind.CONFLICT


class CarePlanChanged(DomainError):
    """Somebody has changed this plan meanwhile; read it again."""

    code = "care_plan_changed"
    kind = Kind.CONFLICT


class BirthdayGiftExists(DomainError):
    """Birthdays are given something already; say that this one is meant beside it."""

    code = "birthday_gift_exists"
    kind = Kind.CONFLICT


class CareTaskConflict(DomainError):
    """The task is in a state in which that cannot be done."""

    code = "care_task_conflict"
    kind = Kind.CONFLICT
