"""What a statement pays, and what it carries on. No I/O, clock or randomness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import msgspec

from backend.kernel.money import share_list

from ..types import Applied, Body, Part, Piece

Key = tuple[str, str]


class Settled(msgspec.Struct, frozen=True):
    """``paid`` are the lots that the member gets, ``costs`` what each store bears of it; one of ``paid`` and
    ``carried`` is empty."""

    paid: tuple[Piece, ...]
    costs: tuple[Piece, ...]
    carried: tuple[Piece, ...]

    @property
    def payout_fen(self) -> int:
        """What is paid."""
        return sum(piece.fen for piece in self.paid)

    @property
    def carried_fen(self) -> int:
        """What the next statement begins with; below nought it is owed."""
        return sum(piece.fen for piece in self.carried)


def pieces_of(parts: Iterable[Part], months: Mapping[str, int]) -> tuple[Piece, ...]:
    """What parts give, by scheme and store."""
    return tuple(
        Piece(part.scheme_id, store_id, fen, months[part.scheme_id])
        for part in parts
        if part.won
        for store_id, fen in part.stores.items()
    )


def add_up(*many: Iterable[Piece]) -> tuple[Piece, ...]:
    """Pieces of the same scheme and store as one, in order; those that come to nothing are gone. The later ``months``
    of each stand."""
    found: dict[Key, Piece] = {}
    for pieces in many:
        for piece in pieces:
            key = (piece.scheme_id, piece.store_id)
            before = found[key].fen if key in found else 0
            found[key] = msgspec.structs.replace(piece, fen=before + piece.fen)
    return tuple(found[key] for key in sorted(found) if found[key].fen)


def differ(now: Iterable[Piece], was: Iterable[Piece]) -> tuple[Piece, ...]:
    """What is missing in ``was`` to be ``now``."""
    now = tuple(now)
    back = tuple(msgspec.structs.replace(piece, fen=-piece.fen) for piece in was)
    months = {(piece.scheme_id, piece.store_id): piece.months for piece in now}
    found = add_up(now, back)
    return tuple(
        msgspec.structs.replace(piece, months=months.get((piece.scheme_id, piece.store_id), piece.months))
        for piece in found
    )


def given_for(first: date, given: Iterable[tuple[date, Body]]) -> tuple[Piece, ...]:
    """What statements gave for the period that began on that day: its own, and what corrected it since."""
    pieces = []
    for begun, body in given:
        if begun == first:
            pieces.append(pieces_of(body.parts, {part.scheme_id: 0 for part in body.parts}))
        pieces += [one.pieces for one in body.corrections if one.first == first]
    return add_up(*pieces)


def least_fen(schemes: Sequence[Applied], pieces: Iterable[Piece], others: Mapping[str, int]) -> int:
    """The least that is paid: the smallest minimum of what gives; a scheme that is over, or ends now, has none.

    ``others`` are the minimums of schemes that live on, by id: what a month's scheme carries on may wait for a
    quarter's statement, and its own minimum holds there too.
    """
    least = {**others, **{scheme.id: 0 if scheme.ends else scheme.terms.min_payout_fen for scheme in schemes}}
    return min((least.get(piece.scheme_id, 0) for piece in pieces if piece.fen > 0), default=0)


def settle(pieces: Sequence[Piece], least: int) -> Settled:
    """Pay what pieces come to together, if that is at least ``least``; else carry all of them on.

    What is owed is taken off what gives, in proportion; each store bears its own pieces, what it gets back included.
    """
    total = sum(piece.fen for piece in pieces)
    if total <= 0 or total < least:
        return Settled((), (), tuple(pieces))
    giving = [piece for piece in pieces if piece.fen > 0]
    shares = share_list(total, [piece.fen for piece in giving])
    paid = (msgspec.structs.replace(piece, fen=fen) for piece, fen in zip(giving, shares, strict=True))
    return Settled(tuple(piece for piece in paid if piece.fen), tuple(pieces), ())
