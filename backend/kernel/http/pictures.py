"""Charts as answers."""

from __future__ import annotations

import asyncio

from backend.kernel import charts
from backend.kernel.config import settings

from .types import Reply

_MEDIA: dict[charts.Form, str] = {"svg": "image/svg+xml", "png": "image/png"}


async def as_picture(chart: charts.Chart, form: charts.Form, name: str | None = None) -> Reply:
    """The chart in the chain's colour, not to be kept; ``ChartUnavailable`` where a PNG has no font.

    With a ``name`` it is a file that is called so, with the form as its ending.
    """
    body = await asyncio.to_thread(charts.draw, chart, form, settings().brand_color)
    headers = {"Cache-Control": "no-store"}
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return Reply(body, media_type=_MEDIA[form], headers=headers)
