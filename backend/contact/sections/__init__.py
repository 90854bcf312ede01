"""The sections of a card: each says which views have it, and how it is read. Their order is that of the card.

To add one: a field in ``schemas.ContactOut``, a reading function in a module here, and a line in ``SECTIONS``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ..types import Ask, View
from . import bought, held, voice

EVERYBODY = frozenset(View)
OWN_STORE = frozenset({View.CHAIN, View.MANAGER, View.CLERK})
MANAGERS = frozenset({View.CHAIN, View.MANAGER})


class Section(msgspec.Struct, frozen=True):
    """A part of the card: ``code`` is its field there, ``views`` who sees it."""

    code: str
    views: frozenset[View]
    read: Callable[[Ask], Awaitable[Any]]


SECTIONS = (
    Section("wallet", EVERYBODY, held.wallet),
    Section("coupons", EVERYBODY, held.coupons),
    Section("cards", EVERYBODY, held.cards),
    Section("purchases", EVERYBODY, bought.purchases),
    Section("habits", OWN_STORE, bought.habits),
    Section("movements", MANAGERS, held.movements),
    Section("letters", MANAGERS, voice.letters),
    Section("suggestions", MANAGERS, voice.suggestions),
    Section("cases", OWN_STORE, voice.cases),
    Section("conversation", OWN_STORE, voice.conversation),
    Section("surveys", MANAGERS, voice.surveys),
    Section("care", OWN_STORE, voice.care),
)
