"""Bodies and answers of the cards' calls."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from .types import Card


class CardsOut(msgspec.Struct):
    """All that a member carries, in the order to draw it."""

    items: list[Card]


class LinkIn(Body):
    """The member that a person of the staff is; null: none."""

    member_id: Annotated[str, Meta(min_length=1, max_length=19)] | None
