"""Days and instants in queries: the calendar's ends are refused or answered, never a 500."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.staff import log_in

ENDS = ("0001-01-01", "9999-12-31")


def asked_by_days(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """Every address of staff that takes days or instants, and for each how they are written."""
    for path, item in document["paths"].items():
        parameters = item.get("get", {}).get("parameters", [])
        schemas = {one["name"]: json.dumps(one["schema"]) for one in parameters if one["in"] == "query"}
        days = {name: "" for name, schema in schemas.items() if '"date"' in schema}
        instants = {name: "T00:00:00Z" for name, schema in schemas.items() if '"date-time"' in schema}
        if "/admin/" in path and days | instants:
            yield re.sub(r"\{[^}]*\}", "X", path), days | instants


async def test_the_ends_of_the_calendar_break_no_query(client, chain):
    admin = await log_in(client, chain, "admin")
    document = (await client.get("/openapi.json")).json()
    asked = list(asked_by_days(document))

    broken = []
    for path, names in asked:
        for end in ENDS:
            query = "&".join(f"{name}={end}{time}" for name, time in names.items())
            answer = await admin.get(f"{path}?{query}")
            if answer.status_code >= 500:
                broken.append((path, end, answer.status_code))

    assert broken == []
    assert len(asked) >= 10
