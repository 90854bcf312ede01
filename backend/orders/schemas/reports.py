"""Which reports are asked for."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import OrderState
from .after import StoreId

Day = Annotated[date, Meta(description="本地日期")]


class ReportQuery(Body):
    """Which days, both included, local dates of the chain; which store's (a manager's own)."""

    from_on: Day = msgspec.field(name="from")
    to_on: Day = msgspec.field(name="to")
    store_id: StoreId | None = None
    format: Literal["csv", "xlsx"] = "csv"


class OrderExportQuery(ReportQuery):
    """And in which state."""

    status: OrderState | None = None
