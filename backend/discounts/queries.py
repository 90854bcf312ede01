"""Reads of rules (public)."""

from __future__ import annotations

import msgspec

from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.kept import Kept

from .types import Rule, RuleState, Terms

KEPT_S = 3.0
"""How long a change may stay unseen by another process; every till's sale looks, so it costs no read."""

MOST_RULES = 200
"""That live at once: every process keeps them in mind."""

RULE = "SELECT id, title, state, version, terms::text AS terms, created_at, updated_at FROM discount_rule"
changes = Changes("discount_change", "subject")
_terms = msgspec.json.Decoder(Terms)


def rule_of(row: db.Record) -> Rule:
    """A row of ``RULE``."""
    return Rule(**dict(row) | {"state": RuleState(row["state"]), "terms": _terms.decode(row["terms"])})


async def _read() -> tuple[Rule, ...]:
    rows = await db.fetch(f"{RULE} WHERE state = 'active' ORDER BY created_at, id LIMIT $1", MOST_RULES)
    return tuple(rule_of(row) for row in rows)


_living = Kept(_read, keep_s=KEPT_S)


async def living() -> tuple[Rule, ...]:
    """The rules that live, the oldest first; mostly no read."""
    return await _living.get()


def forget_rules() -> None:
    """Read the rules again at the next question: they were changed here."""
    _living.forget()


async def find_rule(rule_id: str) -> Rule | None:
    """A rule as it stands, or None."""
    row = await db.fetchrow(f"{RULE} WHERE id = $1", rule_id)
    return rule_of(row) if row else None


async def list_rules(state: RuleState | None, *, limit: int) -> list[Rule]:
    """Rules, the newest first."""
    rows = await db.fetch(
        f"{RULE} WHERE $1::text IS NULL OR state = $1 ORDER BY created_at DESC, id DESC LIMIT $2",
        state.value if state else None,
        limit,
    )
    return [rule_of(row) for row in rows]
