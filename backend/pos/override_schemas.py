"""What a till sends and hears about discounts: somebody's authorisation, and why a line costs what it does."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body
from backend.overrides.types import Reason

AuthoriserCode = Annotated[
    str, Meta(min_length=1, max_length=64, description="授权人手机上的授权码", examples=["71123456789012345678"])
]


class OverrideIn(Body):
    """Who lets the till do it, by the code to authorise on their own phone, and why; ``other`` needs a text."""

    code: AuthoriserCode
    reason: Reason
    note: Annotated[str, Meta(max_length=200)] = ""


class MissingOut(msgspec.Struct):
    """What a sale lacks: its till's own discount, what a cashier may give of it, and what is beyond that."""

    discount_fen: int
    allowed_fen: int
    beyond_fen: int


class DiscountedLine(msgspec.Struct):
    """What is off a line: the till's own, and the member's, by their level (or card) or by a rule (``id/version``)."""

    line_no: int
    till_fen: int
    member_fen: int
    by: Literal["level", "rule"]
    rule: str | None
    title: str
