"""What an import puts into the books: pure."""

from __future__ import annotations

from datetime import date, datetime

from backend.ledger.plans import FEN, HOUSE_OPENING, POINT, POINTS, STORED, Issue, Leg, Plan, job_hash

from .rules.rows import NewRow

OPENING = "opening"


def opening(member_id: int, import_id: str, row: NewRow, *, at: datetime, on: date) -> Plan | None:
    """What a member brings along, against the house account of openings; once per row. None where it is nothing.

    Principal and bonus are lots without an end, points a lot to the day that the row names.
    """
    legs: list[Leg] = []
    fen = row.principal_fen + row.bonus_fen
    if fen:
        lots = (("principal", row.principal_fen), ("bonus", row.bonus_fen))
        issued = tuple(Issue(part, amount) for part, amount in lots if amount)
        legs += [Leg(STORED, FEN, fen, issue=issued), Leg(HOUSE_OPENING, FEN, -fen)]
    if row.points:
        lot = Issue(OPENING, row.points, expires_on=row.points_until)
        legs += [Leg(POINTS, POINT, row.points, issue=(lot,)), Leg(HOUSE_OPENING, POINT, -row.points)]
    if not legs:
        return None
    return Plan(
        member_id=member_id,
        kind=OPENING,
        at=at,
        on=on,
        scope=f"import/{import_id}",
        key=str(row.row),
        hash=job_hash(import_id, row.row, row.principal_fen, row.bonus_fen, row.points, row.points_until),
        legs=tuple(legs),
    )
