"""Terms that make sense."""

from __future__ import annotations

from collections.abc import Iterator

from backend.kernel.errors import FieldError, ValidationFailed

from ..types import PassKind, Terms

Findings = Iterator[tuple[str, str]]


def check_terms(terms: Terms) -> None:
    """Refuse terms that contradict themselves or leave something open, every field that is wrong at once."""
    found = [FieldError(f"/terms{pointer}", message) for check in _CHECKS for pointer, message in check(terms)]
    if found:
        raise ValidationFailed(f"{found[0].pointer}: {found[0].message}", errors=tuple(found))


def _uses(terms: Terms) -> Findings:
    if terms.kind is not PassKind.COUNTED and terms.uses != 1:
        yield "/uses", f"a {terms.kind} pass does not count uses"
    if terms.kind is not PassKind.TIMED and terms.per_day != 1:
        yield "/per_day", "is for timed passes"


def _days(terms: Terms) -> Findings:
    if terms.kind is not PassKind.COUNTED and terms.days is None:
        yield "/days", "say for how many days it is good"


def _benefit(terms: Terms) -> Findings:
    gives = terms.discount_bp > 0 or terms.points_multiplier_bp > 10_000
    if terms.kind is PassKind.DISCOUNT:
        if not gives:
            yield "/discount_bp", "a discount card gives a discount or more points"
        if terms.stores:
            yield "/stores", "a discount card is good in every store"
        if terms.services:
            yield "/services", "a discount card is for no service"
    elif terms.discount_bp:
        yield "/discount_bp", "is for discount cards"
    elif terms.points_multiplier_bp != 10_000:
        yield "/points_multiplier_bp", "is for discount cards"


def _lists(terms: Terms) -> Findings:
    for name in ("stores", "services"):
        values = getattr(terms, name)
        if len(set(values)) < len(values):
            yield f"/{name}", "names one twice"


def _level(terms: Terms) -> Findings:
    if (terms.level is None) is not (terms.level_months is None):
        yield ("/level_months", "for how many months?") if terms.level else ("/level", "which level?")


_CHECKS = (_uses, _days, _benefit, _lists, _level)
