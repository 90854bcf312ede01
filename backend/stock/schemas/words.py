"""Words that bodies and queries about stock are made of."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta

from backend.kernel.money import MAX_AMOUNT

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
PlaceId = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$(?!\n)")]
Sku = Annotated[str, Meta(min_length=1, max_length=40)]
Qty = Annotated[int, Meta(ge=1, le=1_000_000)]
QtyOrZero = Annotated[int, Meta(ge=0, le=1_000_000)]
UnitFen = Annotated[int, Meta(ge=0, le=MAX_AMOUNT, description="每件，人民币分")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
FileName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f/\\\"]+$(?!\n)")]
Note = Annotated[str, Meta(max_length=300, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Cursor = Annotated[str, Meta(min_length=1, max_length=128)]
Limit = Annotated[int, Meta(ge=1, le=100)]
SupplierId = Annotated[str, Meta(min_length=1, max_length=32)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1, description="所见单据的版本；不符则 409 stale")]
Day = Annotated[date, Meta(description="当地日期，含当日")]
