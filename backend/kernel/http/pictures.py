"""Charts as answers."""

from __future__ import annotations

import asyncio

from backend.kernel import charts
from backend.kernel.config import settings

from .types import Reply

_MEDIA: dict[charts.Form, str] = {"svg": "image/svg+xml", "png": "image/png"}


async def as_picture(chart: charts.Chart, form: charts.Form) -> Reply:
    """The chart in the chain's colour, not to be kept; ``ChartUnavailable`` where a PNG has no font."""
    body = await asyncio.to_thread(charts.draw, chart, form, settings().brand_color)
    return Reply(body, media_type=_MEDIA[form], headers={"Cache-Control": "no-store"})
