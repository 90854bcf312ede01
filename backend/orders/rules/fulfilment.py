"""What is still to be sent of an order, and when it counts as received and as done. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ..errors import ShipmentInvalid
from ..types.after import Parcel

Pieces = Mapping[int, int]
"""Quantities by ``line_no``."""


def to_send(bought: Pieces, gone: Pieces, parcels: Iterable[Pieces]) -> dict[int, int]:
    """Pieces by line that are neither given back (``gone``) nor in a parcel yet; lines without any are left out."""
    rest = {line_no: qty - gone.get(line_no, 0) for line_no, qty in bought.items()}
    for parcel in parcels:
        for line_no, qty in parcel.items():
            rest[line_no] = rest.get(line_no, 0) - qty
    return {line_no: qty for line_no, qty in rest.items() if qty > 0}


def own(parcels: Iterable[Parcel]) -> list[Pieces]:
    """What left in parcels of what was bought: what an exchange sent is none of it."""
    return [parcel.pieces for parcel in parcels if parcel.about is None]


def parcel_of(wanted: Pieces | None, rest: Pieces) -> dict[int, int]:
    """What goes into a parcel: the pieces named, or (None) all that is left; refuses more than that, and nothing."""
    pieces = dict(rest if wanted is None else wanted)
    if not pieces:
        raise ShipmentInvalid("nothing is left to send")
    for line_no, qty in pieces.items():
        if not 0 < qty <= rest.get(line_no, 0):
            raise ShipmentInvalid(f"line {line_no} has {rest.get(line_no, 0)} pieces left to send")
    return pieces


def received_by_itself_at(sent_at: datetime, days: int) -> datetime:
    """When a sent order counts as received although the member has not said so."""
    return sent_at + timedelta(days=days)


def done_at(received_at: datetime, days: int) -> datetime:
    """When a received order is done: nothing can be asked of it any more."""
    return received_at + timedelta(days=days)
