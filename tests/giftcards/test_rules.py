"""What may be done with a card, and where a refund goes back to: pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.giftcards import errors, rules
from backend.giftcards.records import Product, ProductState
from backend.giftcards.types import CardState, GiftCard, Holder
from backend.kernel.errors import ValidationFailed

NOW = datetime(2026, 11, 27, tzinfo=UTC)
ON = date(2026, 11, 27)
PRODUCT = Product(
    id="P1",
    title="卡",
    holder=Holder.BINDABLE,
    min_fen=100,
    max_fen=1_000,
    validity_months=36,
    state=ProductState.ACTIVE,
    created_at=NOW,
)
CARD = GiftCard(
    id=1,
    product_id="P1",
    batch_id="B1",
    title="卡",
    holder=Holder.BINDABLE,
    last4="1234",
    state=CardState.ACTIVE,
    member_id=None,
    bound_at=None,
    activated_at=NOW,
    activations=0,
    activation_id="V1",
    valid_until=ON,
    replaced_by=None,
    balance_fen=1_000,
)


def changed(what, **fields):
    return msgspec.structs.replace(what, **fields)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"state": CardState.MADE}, errors.GiftCardNotActive),
        ({"state": CardState.FROZEN}, errors.GiftCardFrozen),
        ({"state": CardState.CLOSED}, errors.GiftCardClosed),
        ({"holder": Holder.NAMED}, errors.GiftCardUnbound),
        ({"valid_until": ON - timedelta(days=1)}, errors.GiftCardExpired),
    ],
)
def test_a_card_pays_nothing_when(fields, refused):
    with pytest.raises(refused):
        rules.check_payable(changed(CARD, **fields), ON)


@pytest.mark.parametrize(
    "fields", [{}, {"valid_until": None}, {"holder": Holder.NAMED, "member_id": 7}, {"holder": Holder.BEARER}]
)
def test_a_card_pays_on_its_last_day(fields):
    rules.check_payable(changed(CARD, **fields), ON)


@pytest.mark.parametrize("holder", [Holder.NAMED, Holder.BINDABLE])
def test_a_bound_card_pays_for_its_member_only(holder):
    bound = changed(CARD, holder=holder, member_id=7)
    rules.check_payer(bound, 7)
    for other in (8, None):
        with pytest.raises(errors.GiftCardNamed):
            rules.check_payer(bound, other)
        rules.check_payer(changed(CARD, member_id=None), other)


@pytest.mark.parametrize(
    ("fields", "held", "refused"),
    [
        ({"member_id": 8}, 0, errors.GiftCardOwned),
        ({"holder": Holder.BEARER}, 0, errors.GiftCardNotBindable),
        ({"state": CardState.MADE}, 0, errors.GiftCardNotActive),
        ({"state": CardState.MADE, "holder": Holder.NAMED}, 0, errors.GiftCardNotActive),
        ({"valid_until": ON - timedelta(days=1)}, 0, errors.GiftCardExpired),
        ({}, 20, errors.GiftCardLimit),
    ],
)
def test_a_card_is_not_bound_when(fields, held, refused):
    with pytest.raises(refused):
        rules.check_bindable(changed(CARD, **fields), ON, held=held, most=20)


def test_a_named_card_is_bound_before_it_pays():
    rules.check_bindable(changed(CARD, holder=Holder.NAMED), ON, held=19, most=20)


def activation(amount, *, card=None, product=PRODUCT, most_fen=100_000):
    return rules.check_activation(card or changed(CARD, state=CardState.MADE), product, amount, most_fen=most_fen)


def test_a_card_is_loaded_with_its_face_or_within_its_range():
    fixed = changed(PRODUCT, min_fen=1_000)

    assert [activation(100), activation(1_000)] == [100, 1_000]
    assert [activation(None, product=fixed), activation(1_000, product=fixed)] == [1_000, 1_000]


@pytest.mark.parametrize(
    ("amount", "more", "refused"),
    [
        (None, {}, errors.GiftCardAmount),
        (99, {}, errors.GiftCardAmount),
        (1_001, {}, errors.GiftCardAmount),
        (900, {"most_fen": 899}, errors.GiftCardAmount),
        (500, {"product": changed(PRODUCT, state=ProductState.ENDED)}, errors.GiftCardProductEnded),
        (500, {"card": CARD}, errors.GiftCardActivated),
        (500, {"card": changed(CARD, state=CardState.FROZEN)}, errors.GiftCardActivated),
        (500, {"card": changed(CARD, state=CardState.CLOSED)}, errors.GiftCardClosed),
    ],
)
def test_a_card_is_not_loaded_when(amount, more, refused):
    with pytest.raises(refused):
        activation(amount, **more)


@pytest.mark.parametrize(
    ("holder", "low", "high", "months", "pointer"),
    [
        (Holder.BEARER, 200, 100, None, "/max_fen"),
        (Holder.BEARER, 100, 100_001, None, "/max_fen"),
        (Holder.NAMED, 100, 1_000, 36, "/validity_months"),
        (Holder.BINDABLE, 100, 1_000, 35, "/validity_months"),
    ],
)
def test_a_product_keeps_to_the_law(holder, low, high, months, pointer):
    with pytest.raises(ValidationFailed) as refused:
        rules.check_product(holder, low, high, months, most_fen=100_000)
    assert refused.value.errors[0].pointer == pointer


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=5), st.data())
def test_what_comes_back_in_parts_comes_back_to_each_lot_once(took, data):
    taken = list(enumerate(took, 1))
    back: dict[int, int] = dict.fromkeys(range(1, len(took) + 1), 0)
    before = 0
    while before < sum(took):
        amount = data.draw(st.integers(1, sum(took) - before))
        lots = rules.return_to_lots(amount, taken, before=before)
        assert sum(part for _, part in lots) == amount
        for lot_id, part in lots:
            back[lot_id] += part
            assert part > 0
            assert back[lot_id] <= took[lot_id - 1]
        before += amount

    assert list(back.values()) == took
    with pytest.raises(ValueError, match="did not give that much"):
        rules.return_to_lots(1, taken, before=before)


def test_the_lot_that_was_spent_last_is_filled_first():
    assert rules.return_to_lots(30, [(1, 100), (2, 50)], before=0) == ((2, 30),)
    assert rules.return_to_lots(30, [(1, 100), (2, 50)], before=30) == ((1, 10), (2, 20))
