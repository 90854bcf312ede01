"""The sections of a card: each says which views have it, and how it is read. Their order is that of the card.

To add one: a field in ``schemas.ContactOut``, a reading function in a module here, and a line in ``SECTIONS``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from backend.auth.types import Permission

from ..types import Ask, View
from . import bought, held, voice

EVERYBODY = frozenset(View)
OWN_STORE = frozenset({View.CHAIN, View.MANAGER, View.CLERK})
MANAGERS = frozenset({View.CHAIN, View.MANAGER})


class Section(msgspec.Struct, frozen=True):
    """A part of the card: ``code`` is its field there, ``views`` who sees it, ``needs`` what their role holds."""

    code: str
    views: frozenset[View]
    read: Callable[[Ask], Awaitable[Any]]
    needs: Permission | None = None

    def is_for(self, ask: Ask) -> bool:
        """Whether this viewer sees it: what somebody may not read where it is kept, they do not read here."""
        return ask.view in self.views and (self.needs is None or self.needs in ask.may)


SECTIONS = (
    Section("wallet", EVERYBODY, held.wallet),
    Section("coupons", EVERYBODY, held.coupons),
    Section("cards", EVERYBODY, held.cards),
    Section("purchases", EVERYBODY, bought.purchases),
    Section("habits", OWN_STORE, bought.habits),
    Section("movements", MANAGERS, held.movements),
    Section("letters", MANAGERS, voice.letters, Permission.MESSAGES_READ),
    Section("suggestions", MANAGERS, voice.suggestions, Permission.SUGGESTIONS_HANDLE),
    Section("cases", OWN_STORE, voice.cases, Permission.CASES_HANDLE),
    Section("conversation", OWN_STORE, voice.conversation, Permission.CONVERSATIONS_HANDLE),
    Section("surveys", MANAGERS, voice.surveys, Permission.SURVEYS_READ),
    Section("care", OWN_STORE, voice.care, Permission.CARE_HANDLE),
)
