"""Schemes, their versions, and how they apply to a period."""

from __future__ import annotations

from datetime import date

import msgspec

from backend.kernel import db
from backend.kernel.changes import Changes
from backend.kernel.db import Tx
from backend.kernel.paging import Place

from ..types import Applied, Period, PeriodKind, Scheme, SchemeState, Terms, Version

MOST_SCHEMES = 50
"""That live at once."""

MOST_APPLIED = 2 * MOST_SCHEMES
"""That apply to one period, those included that ended in it: no further one begins then."""

changes = Changes("rebate_change", "subject")
_terms = msgspec.json.Decoder(Terms)

_SCHEME = """
SELECT s.id, s.title, s.period, s.state, s.first_on, s.last_on, s.version, v.since, v.terms, s.staff_id, s.created_at
  FROM rebate_scheme s JOIN rebate_scheme_version v ON v.scheme_id = s.id AND v.version = s.version"""
# Of the versions that hold from this day or an earlier one on, the one written last; before any, the first one.
_HELD = """
 CROSS JOIN LATERAL (SELECT version, terms FROM rebate_scheme_version v WHERE v.scheme_id = s.id
                      ORDER BY v.since <= $1 DESC, CASE WHEN v.since <= $1 THEN -v.version ELSE v.version END
                      LIMIT 1) AS v"""
_APPLIED = f"""
SELECT s.id, s.title, v.version, v.terms, greatest(s.first_on, $1) AS first, least(s.last_on, $2) AS last,
       coalesce(s.last_on <= $2, false) AS ends
  FROM rebate_scheme s {_HELD}
 WHERE s.period = $3 AND s.state <> 'draft' AND s.first_on <= $2 AND (s.last_on IS NULL OR s.last_on >= $1)
 ORDER BY s.created_at, s.id LIMIT $4"""  # noqa: S608 - put together of constants


def scheme_of(row: db.Record) -> Scheme:
    """A scheme from its row."""
    kinds = {"period": PeriodKind(row["period"]), "state": SchemeState(row["state"])}
    return Scheme(**dict(row) | kinds | {"terms": _terms.decode(row["terms"])})


async def find_scheme(scheme_id: str) -> Scheme | None:
    """A scheme, or None."""
    row = await db.fetchrow(f"{_SCHEME} WHERE s.id = $1", scheme_id)
    return scheme_of(row) if row else None


async def lock_scheme(tx: Tx, scheme_id: str) -> Scheme | None:
    """A scheme, held until the transaction ends, or None."""
    rows = await db.fetch_in(tx, f"{_SCHEME} WHERE s.id = $1 FOR UPDATE OF s", scheme_id)
    return scheme_of(rows[0]) if rows else None


async def list_schemes(after: Place | None, limit: int) -> list[Scheme]:
    """Schemes, newest first, from behind a place in the list."""
    at, scheme_id = after or (None, "")
    rows = await db.fetch(
        f"{_SCHEME} WHERE $1::timestamptz IS NULL OR s.created_at < $1 OR (s.created_at = $1 AND s.id > $2)"
        " ORDER BY s.created_at DESC, s.id LIMIT $3",
        at,
        scheme_id,
        limit,
    )
    return [scheme_of(row) for row in rows]


async def list_titles(scheme_ids: list[str]) -> dict[str, str]:
    """What these schemes are called, by id."""
    rows = await db.fetch("SELECT id, title FROM rebate_scheme WHERE id = ANY($1)", scheme_ids)
    return {row["id"]: row["title"] for row in rows}


async def list_versions(scheme_id: str, limit: int = 100) -> list[Version]:
    """A scheme's versions, newest first."""
    rows = await db.fetch(
        "SELECT version, since, terms, staff_id, at FROM rebate_scheme_version WHERE scheme_id = $1"
        " ORDER BY version DESC LIMIT $2",
        scheme_id,
        limit,
    )
    return [Version(row[0], row[1], _terms.decode(row[2]), row[3], row[4]) for row in rows]


async def list_applied(period: Period) -> list[Applied]:
    """The schemes that apply to a period, with the terms that hold in it, in the order they were made."""
    rows = await db.fetch(_APPLIED, period.first, period.last, period.kind.value, MOST_APPLIED)
    return [applied_of(row, period) for row in rows]


def applied_of(row: db.Record, period: Period) -> Applied:
    """How a scheme applies, from such a row."""
    return Applied(
        id=row["id"],
        title=row["title"],
        version=row["version"],
        terms=_terms.decode(row["terms"]),
        first=row["first"],
        last=row["last"] or period.last,
        ends=row["ends"],
    )


def whole(scheme: Scheme, period: Period) -> Applied:
    """A scheme as if it applied to every day of a period."""
    return Applied(
        id=scheme.id,
        title=scheme.title,
        version=scheme.version,
        terms=scheme.terms,
        first=period.first,
        last=period.last,
        ends=False,
    )


_LEAST = f"""
SELECT s.id, v.terms FROM rebate_scheme s {_HELD}
 WHERE s.state <> 'draft' AND s.first_on <= $1 AND (s.last_on IS NULL OR s.last_on > $1)"""  # noqa: S608


async def list_least(tx: Tx, on: date) -> dict[str, int]:
    """The least that schemes pay which count beyond that day, by id, whatever their period; others have none."""
    rows = await db.fetch_in(tx, _LEAST, on)
    return {row["id"]: _terms.decode(row["terms"]).min_payout_fen for row in rows}


async def has_live(kind: PeriodKind, on: date) -> bool:
    """Whether a scheme of that kind counts on a day."""
    sql = (
        "SELECT true FROM rebate_scheme WHERE period = $1 AND state <> 'draft' AND first_on <= $2"
        " AND (last_on IS NULL OR last_on >= $2) LIMIT 1"
    )
    return bool(await db.fetchval(sql, kind.value, on))
