"""The shapes of single values: names, codes, pictures' ids."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
LongName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
Line = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
Text = Annotated[str, Meta(max_length=20_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$(?!\n)")]
Code40 = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
MediaId = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Order = Annotated[int, Meta(ge=-10_000, le=10_000)]
Instant = Annotated[datetime, Meta(tz=True)]
SpecValue = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f:;]+$(?!\n)")]
StoreId = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
Code32 = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_.-]+$(?!\n)")]
