"""The oracle of levels: stories whose end is known, and lies in the books."""

from __future__ import annotations

from typing import Any

from backend.torture.domains.levels import GIVEN_BACK, HAD, HAPPENED, compare, level_after


def test_levels_go_up_and_back_with_the_purchase_that_brought_them():
    bought = [(1, 0, "a", 4_000), (2, 0, "b", 9_000)]

    assert level_after(bought[:1]) == "silver"
    assert level_after(bought) == "gold"
    assert level_after([*bought, (3, 1, "a", 4_000)]) == "gold"
    assert level_after([*bought, (3, 1, "b", 1_000)]) == "gold"
    assert level_after([*bought, (3, 1, "b", 1_001)]) == "silver"
    assert level_after([*bought, (3, 1, "a", 4_000), (4, 1, "b", 9_000)]) == "basic"
    assert level_after([(1, 0, "a", 3_999)]) == "basic"


def test_a_level_that_is_not_what_was_bought_is_told():
    books: dict[str, list[tuple[Any, ...]]] = {
        HAD: [(7, "gold"), (8, "silver")],
        HAPPENED: [(7, 1, "a", 5_000), (8, 1, "b", 5_000)],
        GIVEN_BACK: [],
    }

    assert list(compare({7, 8}, books)) == ["member 7 is at gold, by what they bought at silver"]
