"""How rules look to staff."""

from __future__ import annotations

from .records import StoredRule
from .schemas import RuleOut, VersionOut
from .types import Rule


def rule(stored: StoredRule) -> RuleOut:
    """A rule as staff see it."""
    return RuleOut(
        id=stored.id,
        kind=stored.kind,
        title=stored.title,
        state=stored.state,
        version=stored.version,
        terms=stored.terms,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
    )


def version(found: Rule) -> VersionOut:
    """A version as staff see it."""
    return VersionOut(found.version, found.title, found.terms, found.from_at, found.until_at)
