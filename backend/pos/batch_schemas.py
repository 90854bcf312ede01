"""Shapes of a batch of offline accruals."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

Row = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/AccrualIn"})]
"""A row as it came: it is read for itself, so that one that is none refuses itself only."""


class AccrualBatchIn(Body):
    """Sales that the till took while it was offline, in any order; each is told apart by its ``order_no``."""

    items: Annotated[list[Row], Meta(min_length=1, max_length=200)]


class AccrualRowOut(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What became of one: ``posted``, ``duplicate`` (given before, by whatever till), or ``refused``.

    ``order_no`` is empty for a row that has none.
    """

    row: int
    order_no: str
    result: Literal["posted", "duplicate", "refused"]
    id: str | None = None
    points_earned: int | None = None
    code: str | None = None
    detail: str | None = None
    pointer: str | None = None
    retry: bool = False


class AccrualBatchOut(msgspec.Struct):
    """All of them, in the order of the request. A row with ``retry`` may be sent again as it is."""

    items: list[AccrualRowOut]
    posted: int
    duplicates: int
    refused: int
