"""Passes of a member who becomes part of another: each goes on as the other's, under an id of its own."""

from __future__ import annotations

from datetime import date

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger.plans import FEN, HOUSE_SERVICES_MERGED, SERVICE, SERVICE_VALUE, USES, Guard, Issue, Leg
from backend.lifecycle import service as lifecycle
from backend.members.holding import Carrying, Obstacle
from backend.merging import service as merging

from . import plans, service
from .errors import PassVoid
from .types import PassKind, PassState

_LOTS = f"""
SELECT s.source AS id, s.part, s.lot_id, s.issued AS uses, s.remaining AS uses_left, s.expires_on,
       v.lot_id AS value_lot, coalesce(v.issued, 0) AS paid_fen, coalesce(v.remaining, 0) AS value_fen,
       p.kind, p.id IS NOT NULL AS written
  FROM ledger_lot s
  LEFT JOIN ledger_lot v ON v.member_id = s.member_id AND v.source = s.source AND v.kind = '{SERVICE_VALUE}'
  LEFT JOIN pass_card p ON p.member_id = s.member_id AND p.id = s.source
 WHERE s.member_id = $1 AND s.kind = '{SERVICE}' AND s.open ORDER BY s.lot_id"""  # noqa: S608 - constants
_GO_ON = """
INSERT INTO pass_card (member_id, id, product_id, version, kind, source, store_id, uses, paid_fen, issued_at,
       valid_from, expires_on, recognise_on, warned_at)
SELECT $2, $4, product_id, version, kind, source, store_id, uses, paid_fen, issued_at, valid_from, expires_on,
       recognise_on, warned_at
  FROM pass_card WHERE member_id = $1 AND id = $3"""
_ENDED = "UPDATE pass_card SET ended_as = $3, ended_at = $4, recognise_on = NULL WHERE member_id = $1 AND id = $2"
_MARKS = (
    "SELECT name, value, expires_at FROM ledger_guard"
    " WHERE member_id = $1 AND (name = $2 OR starts_with(name, $2 || ':'))"
)
_NO_CAP = 10**12


async def obstacles(tx: Tx, source_id: int) -> list[Obstacle]:
    """A pass that was sold a moment ago, whose row is still to be written."""
    found = [row["id"] for row in await db.fetch_in(tx, _LOTS, source_id) if not row["written"]]
    return (
        [Obstacle(code="pass_being_written", title="卡项正在登记，请稍后再试", ids=tuple(found[:10]))] if found else []
    )


async def carry(tx: Tx, carrying: Carrying) -> None:
    """Let every pass of the source's that is good for something go on as the target's: same uses, value and days, and
    the level that came with it goes when it does."""
    cards = False
    for row in await db.fetch_in(tx, _LOTS, carrying.source_id):
        new_id = service.new_pass_id(carrying.target_id)
        marks = await _marks(tx, carrying.source_id, row["id"], new_id)
        await merging.post_half(
            tx,
            carrying.source_id,
            carrying,
            f"pass:{row['id']}",
            _out_legs(row),
            guards=(Guard(f"pass:{row['id']}", "above", plans.CLOSED, PassVoid.code),),
        )
        into, used = _in_legs(row, new_id, carrying.on)
        await merging.post_half(tx, carrying.target_id, carrying, f"pass:{row['id']}", into, guards=marks)
        await merging.post_half(tx, carrying.target_id, carrying, f"pass:{row['id']}:used", used)
        await db.raw(tx).execute(_GO_ON, carrying.source_id, carrying.target_id, row["id"], new_id)
        await db.raw(tx).execute(_ENDED, carrying.source_id, row["id"], PassState.VOID.value, carrying.at)
        await lifecycle.keep_granted(tx, carrying.target_id, f"pass:{row['id']}", f"pass:{new_id}")
        cards = cards or row["kind"] == PassKind.DISCOUNT
    if cards:
        await service.choose_card(tx, carrying.target_id, carrying.on)


async def _marks(tx: Tx, source_id: int, pass_id: str, new_id: str) -> tuple[Guard, ...]:
    """What was counted of the pass, for the one that goes on: uses, and those of each day."""
    found = []
    for row in await db.fetch_in(tx, _MARKS, source_id, f"pass:{pass_id}"):
        name = row["name"].replace(pass_id, new_id)
        if row["value"]:
            found.append(Guard(name, "add", row["value"], PassVoid.code, cap=_NO_CAP, expires_at=row["expires_at"]))
    return tuple(found)


def _product(row: db.Record) -> str:
    return str(row["part"].rpartition("/")[0])


def _out_legs(row: db.Record) -> tuple[Leg, ...]:
    uses = row["uses_left"]
    legs = [
        Leg(SERVICE, USES, -uses, ref=row["id"], lots=((row["lot_id"], -uses),)),
        Leg(HOUSE_SERVICES_MERGED, USES, uses, ref=_product(row)),
    ]
    if fen := row["value_fen"]:
        legs.append(Leg(SERVICE_VALUE, FEN, -fen, ref=row["id"], lots=((row["value_lot"], -fen),)))
        legs.append(Leg(HOUSE_SERVICES_MERGED, FEN, fen, ref=_product(row)))
    return tuple(legs)


def _in_legs(row: db.Record, new_id: str, on: date) -> tuple[tuple[Leg, ...], tuple[Leg, ...]]:
    """The pass begins with all of its uses and all of its price, then what was used and earned is taken: shares stay.

    Two transfers, because one moves a lot once.
    """
    living = row["expires_on"] is None or row["expires_on"] >= on
    into: list[Leg] = []
    used: list[Leg] = []
    for account, unit, whole, left, until in (
        (SERVICE, USES, row["uses"], row["uses_left"], row["expires_on"]),
        (SERVICE_VALUE, FEN, row["paid_fen"], row["value_fen"], None),
    ):
        if not whole:
            continue
        begins = whole if living or account == SERVICE_VALUE else left
        lot = Issue(row["part"], begins, expires_on=until, source=new_id)
        into.append(Leg(account, unit, begins, ref=new_id, issue=(lot,)))
        into.append(Leg(HOUSE_SERVICES_MERGED, unit, -begins, ref=_product(row)))
        if begins > left:
            used.append(Leg(account, unit, left - begins, ref=new_id))
            used.append(Leg(HOUSE_SERVICES_MERGED, unit, begins - left, ref=_product(row)))
    return tuple(into), tuple(used)
