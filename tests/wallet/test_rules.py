"""When to ask, what a line is called, who is offered what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wallet import rules
from backend.wallet.types import Offer

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
OFFER = Offer(id="O1", pay_fen=100)


@given(st.integers(0, 60), st.integers(0, 3_600), st.integers(60, 86_400))
def test_an_order_is_asked_about_within_five_minutes_until_it_ends(tries, age_s, life_s):
    now, pay_until = AT + timedelta(seconds=age_s), AT + timedelta(seconds=life_s)

    at = rules.next_question(tries, now=now, pay_until=pay_until)

    assert at > now
    if now < pay_until:
        assert at <= min(pay_until, now + timedelta(seconds=300))
    else:
        assert at <= now + timedelta(hours=6)


def test_failures_are_repeated_ever_later_and_at_least_every_six_hours():
    pauses = [(rules.repeat_at(tries, now=AT) - AT).total_seconds() for tries in range(100)]

    assert pauses[:4] == [60, 120, 240, 480]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 6 * 3600


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        ({}, True),
        ({"active": False}, False),
        ({"starts_at": AT}, True),
        ({"starts_at": AT + timedelta(seconds=1)}, False),
        ({"ends_at": AT}, False),
        ({"ends_at": AT + timedelta(seconds=1)}, True),
        ({"first_only": True}, False),
        ({"store_id": "S1"}, True),
        ({"store_id": "S2"}, False),
    ],
)
def test_an_offer_is_for_whom_and_when_it_says(change, offered):
    offer = msgspec.structs.replace(OFFER, **change)

    assert rules.is_offered(offer, now=AT, recharged=True, store_id="S1") is offered


@pytest.mark.parametrize(
    ("account", "kind", "amount", "title"),
    [
        ("stored", "sale", -100, "消费"),
        ("stored", "refund", 100, "退款"),
        ("stored", "recharge", 100, "充值"),
        ("points", "sale", 7, "消费得积分"),
        ("points", "sale", -7, "积分抵扣"),
        ("points", "refund", -7, "退款扣回积分"),
        ("points", "maturity", 7, "积分到账"),
        ("rebate", "gift", 7, "赠送"),
        ("stored", "something new", 7, "其他"),
    ],
)
def test_a_line_is_called_what_it_is(account, kind, amount, title):
    assert rules.title(account, kind, amount) == title
