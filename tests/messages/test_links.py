"""Signed addresses: what is not ours, or was changed, leads nowhere."""

from __future__ import annotations

import base64

import pytest

from backend.kernel import config, ids
from backend.messages.delivery import links
from backend.messages.delivery.links import For, Link
from backend.messages.types import Channel, delivery_id
from tests.kernel.http.conftest import make_settings

LETTER = ids.document_id("L", 42, 4711)


@pytest.fixture(autouse=True)
def key() -> None:
    config.use(make_settings())


@pytest.mark.parametrize("kind", For)
@pytest.mark.parametrize("channel", Channel)
def test_a_token_says_what_was_signed(kind: For, channel: Channel) -> None:
    link = Link(kind, LETTER, channel, 3, 5, "https://chain.example/#/优惠?a=1")

    assert links.read(links.sign(link)) == link
    assert link.delivery_id == delivery_id(LETTER, channel)


def test_no_character_of_a_token_can_be_another() -> None:
    token = links.sign(Link(For.CLICK, LETTER, Channel.EMAIL, 1, 1, "https://chain.example/#/coupons"))

    for place, was in enumerate(token[:-1]):  # the last one may carry bits that mean nothing
        changed = token[:place] + ("A" if was != "A" else "B") + token[place + 1 :]
        assert links.read(changed) is None, place


@pytest.mark.parametrize("token", ["", "A", "AAAA", "A" * 2000, "锁" * 20, "////", "====", "A" * 22, "-" * 40])
def test_what_we_did_not_sign_is_nothing(token: str) -> None:
    assert links.read(token) is None


def test_another_targets_mac_does_not_fit() -> None:
    ours = base64.urlsafe_b64decode(
        links.sign(Link(For.CLICK, LETTER, Channel.EMAIL, 1, 1, "https://a.example")) + "=="
    )
    forged = ours.replace(b"https://a.example", b"https://e.example")

    assert links.read(base64.urlsafe_b64encode(forged).decode().rstrip("=")) is None


def test_a_token_ends_with_the_key_that_made_it() -> None:
    token = links.sign(Link(For.OPEN, LETTER, Channel.EMAIL))
    tag = links.bounce_tag(delivery_id(LETTER, Channel.EMAIL))
    config.use(make_settings())

    assert (links.read(token), links.read_bounce_tag(tag)) == (None, None)


def test_a_target_that_is_too_long_is_not_signed() -> None:
    with pytest.raises(ValueError, match="too long"):
        links.sign(Link(For.CLICK, LETTER, Channel.EMAIL, 1, 1, "https://a.example/" + "x" * 1000))


def test_a_bounces_tag_survives_folding_and_nothing_else() -> None:
    of = delivery_id(LETTER, Channel.EMAIL)
    tag = links.bounce_tag(of)
    wrong = tag[:-1] + ("0" if tag[-1] != "0" else "1")

    assert links.read_bounce_tag(tag.upper()) == links.read_bounce_tag(tag) == of
    assert tag == tag.lower()
    assert [
        links.read_bounce_tag(text) for text in (wrong, tag[1:], tag.replace("email", "sms"), "", "-", "锁-email-x")
    ] == [None] * 6
