"""Passes by the oracle: silent about true books, and every planted lie is told."""

from __future__ import annotations

from typing import Any

import pytest

from backend.torture.domains.pass_books import Offer, Piece, Told, compare

WASHES = Offer("K1", "K-0", "counted", 3)
PARKING = Offer("K2", "K-1", "timed", 1)


class Story:
    """Member 77 bought three washes for 100 fen and parking for 30, used two washes and parked once; one was undone."""

    def __init__(self) -> None:
        self.told = Told({"K-0": WASHES, "K-1": PARKING})
        self.told.bought = {("S1", 1): (77, WASHES, 100), ("S1", 2): (77, PARKING, 30)}
        self.told.pieces = {"P1": Piece("P1", 77, "K1"), "P2": Piece("P2", 77, "K2")}
        self.told.use("U1", "P1", 1, counted=True)
        self.told.use("U2", "P1", 1, counted=True)
        self.told.use("U3", "P2", 1, counted=False)
        assert self.told.undo("U2")
        self.sold: dict[tuple[str, int], list[Any]] = {
            ("S1", 1): ["S1", 1, 77, "P1", 100],
            ("S1", 2): ["S1", 2, 77, "P2", 30],
        }
        self.uses: dict[str, list[Any]] = {
            "U1": ["U1", 77, "P1", "used", 1, 33],
            "U2": ["U2", 77, "P1", "undone", 1, 33],
            "U3": ["U3", 77, "P2", "used", 1, 0],
        }
        self.books: dict[tuple[str, str], list[Any]] = {
            ("P1", "sale"): [77, "P1", "sale", 3, 100],
            ("P1", "pass_use"): [77, "P1", "pass_use", -2, -66],
            ("P1", "pass_undo"): [77, "P1", "pass_undo", 1, 33],
            ("P2", "sale"): [77, "P2", "sale", 1, 30],
            ("P2", "pass_recognition"): [77, "P2", "pass_recognition", 0, -10],
        }

    @property
    def facts(self) -> dict[str, Any]:
        kinds: dict[str, dict[Any, list[Any]]] = {
            "passes sold": self.sold,
            "pass uses": self.uses,
            "pass books": self.books,
        }
        return {name: [tuple(row) for row in rows.values()] for name, rows in kinds.items()}

    def findings(self) -> list[str]:
        return list(compare(self.told, self.facts))


def test_is_silent_about_true_books_and_knows_what_uses_earned():
    story = Story()

    assert story.findings() == []
    assert story.told.earned_since(story.facts) == {77: 33}
    assert story.told.earned_since(story.facts) == {77: 0}


def test_an_undo_counts_once():
    story = Story()

    assert not story.told.undo("U2")


def _drop(rows: str, key: Any) -> Any:
    return lambda story: getattr(story, rows).pop(key)


def _set(rows: str, key: Any, place: int, value: Any) -> Any:
    return lambda story: getattr(story, rows)[key].__setitem__(place, value)


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        (_drop("sold", ("S1", 1)), "sold a card in line 1 and keeps none"),
        (_set("sold", ("S1", 1), 4, 99), "keeps a card for 99 fen in line 1"),
        (_drop("uses", "U1"), "use U1 was acknowledged and is not stored"),
        (lambda story: story.told.uses.pop("U3"), "use U3 of pass P2 was never acknowledged"),
        (_set("uses", "U2", 3, "used"), "use U2 is used"),
        (_set("uses", "U1", 4, 2), "use U1 is used, 2 of pass P1"),
        (_set("books", ("P1", "pass_use"), 3, -3), "2 uses were taken, acknowledged were 1"),
        (_set("books", ("P1", "pass_use"), 4, -99), "1 of 3 uses earned 66 of 100 fen"),
        (_set("books", ("P1", "sale"), 3, 5), "pass P1 of 3 uses for 100 fen holds 4"),
        (lambda story: story.told.ended.add("P1"), "pass P1 was ended and holds 2 uses and 67 fen"),
        (lambda story: story.books.update({("P9", "sale"): [77, "P9", "sale", 1, 0]}), "pass P9 was neither sold nor"),
    ],
)
def test_every_lie_is_told(lie, told):
    story = Story()

    lie(story)

    assert told in " | ".join(story.findings())
