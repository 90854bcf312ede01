"""The oracle of gifts and of what ends: a run that is right, and lies in the books."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from backend.torture.domains.expiry import Expiry
from backend.torture.domains.gifts import MOST_OF_A_MEMBER, Gift, Gifts, Row, Told
from backend.torture.domains.shelves import Shelves
from backend.torture.domains.wallet import Wallet
from backend.torture.world import Model

NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)
DAY = date(2026, 11, 30)
GOODS = Gift("GF1", "goods", 4, 150, 0, "S1", "6901")
ROW = ("J1", 7, "GF1", "waiting", 2, 8, 300, "S1", "6901", None, None, DAY, None, True)


def world() -> Any:
    heard: dict[str, Any] = {}
    shelves = SimpleNamespace(gifts=lambda kept, gone: heard.update(kept=dict(kept), gone=dict(gone)))
    there = {Shelves: shelves, Wallet: SimpleNamespace(gifts={})}
    return SimpleNamespace(
        model=Model(("points", "stored")),
        journal=SimpleNamespace(begun=set(), doubtful={}),
        now=NOON.timestamp,
        domain=there.__getitem__,
        person=int,
        heard=heard,
    )


def gifts() -> Gifts:
    domain = Gifts(world())
    domain.gifts = {"GF1": GOODS}
    member: Any = SimpleNamespace(id=7)
    domain.told = {"J1": Told(member, GOODS, 2)}
    return domain


def books(*rows: tuple[Any, ...], taken: int | None = None, promised: tuple[Any, ...] | None = None) -> Any:
    kept = [(row[0], "S1", "6901", row[4]) for row in rows if row[3] == "waiting"]
    counts = [("GF1", sum(row[4] * row[-1] for row in rows) if taken is None else taken)]
    facts = {"redemptions": rows, "gifts taken": counts, "promised to gifts": kept if promised is None else promised}
    return SimpleNamespace(facts=facts, events=0, balances={})


def changed(**fields: Any) -> tuple[Any, ...]:
    return tuple(Row(*ROW)._replace(**fields))


def test_a_redemption_moves_the_model_and_its_end_moves_it_back():
    domain = gifts()
    heard: Any = domain.world

    assert list(domain.check(books(ROW), final=False)) == []
    assert (domain.world.model.held(7, "points"), domain.world.model.held(7, "stored")) == (-8, -300)
    assert heard.heard == {"kept": {("S1", "6901"): 2}, "gone": {("S1", "6901"): 0}}
    ended = changed(state="expired", ended_at=NOON, counted=False)
    assert list(domain.check(books(ended), final=True)) == []
    assert (domain.world.model.held(7, "points"), domain.world.model.held(7, "stored")) == (0, 0)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (changed(points=3), "not at the price"),
        (changed(quantity=1, points=4, pay_fen=150), "was acknowledged as"),
        (changed(member_id=8), "was acknowledged as"),
        (changed(terminal_id="S1-T1", key="k", state="handed_over"), "who never asked"),
        (changed(state="expired", ended_at=datetime(2026, 11, 30, 4, tzinfo=UTC), counted=False), "waits until"),
    ],
)
def test_a_lie_about_a_redemption_is_told(row, words):
    assert any(words in finding for finding in gifts().check(books(row), final=False))


def test_lies_about_counts_promises_and_acknowledgements_are_told():
    domain, cancelled = gifts(), gifts()
    cancelled.ended["J1"] = "cancelled"
    many = [changed(id=f"J{number}") for number in range(1, MOST_OF_A_MEMBER + 2)]

    assert any("was taken 1 times" in finding for finding in domain.check(books(ROW, taken=1), final=False))
    assert any("is promised: False" in finding for finding in domain.check(books(ROW, promised=()), final=False))
    assert any("is not stored" in finding for finding in gifts().check(books(), final=False))
    assert any("acknowledged as cancelled" in finding for finding in cancelled.check(books(ROW), final=False))
    assert any("has 8 of gift" in finding for finding in gifts().check(books(*many), final=False))
    assert any("never acknowledged" in finding for finding in gifts().check(books(*many), final=True))


def lots(**facts: Any) -> Any:
    none: dict[str, Any] = dict.fromkeys(Expiry.facts, ())
    return SimpleNamespace(facts=none | facts, events=0, balances={(7, "points"): 5})


def told(**facts: Any) -> list[str]:
    named = {name.replace("_", " "): rows for name, rows in facts.items()}
    return list(Expiry(world()).check(lots(**named), final=True))


def test_what_ends_early_is_spent_late_or_is_left_is_told():
    late, early = NOON, datetime(2026, 11, 30, 4, tzinfo=UTC)

    assert told(lots_that_expired=[(7, 1, "points", DAY, "expiry", late, -5)]) == []
    assert told(lots_that_expired=[(7, 1, "points", DAY, "expiry", early, -5)])
    assert told(lots_that_expired=[(7, 1, "stored", None, "expiry", late, -5)])
    assert told(lots_that_were_spent_late=[(7, 1, "points", DAY, "sale", late, -5)])
    assert told(lots_with_a_last_day=[(7, 1, "points", DAY, 5)])
    assert told(lots_with_a_last_day=[(7, 1, "points", date(2026, 12, 1), 5)]) == []
    assert told(balances_of_what_ends=[(7, "points", 4)])
    assert told(balances_of_what_ends=[(7, "points", 5)]) == []
