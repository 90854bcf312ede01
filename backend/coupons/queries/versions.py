"""Reads of what templates promised, version by version."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from backend.kernel import db
from backend.kernel.versions import Key, Versions

from ..records import Version
from ..types import Terms

_terms = msgspec.json.Decoder(Terms)


async def _read(keys: list[Key]) -> dict[Key, Version]:
    rows = await db.fetch(
        "SELECT v.template_id, v.version, v.title, v.note, v.terms FROM unnest($1::text[], $2::int[]) AS w (t, n)"
        " JOIN coupon_template_version v ON v.template_id = w.t AND v.version = w.n",
        *map(list, zip(*keys, strict=True)),
    )
    return {(row[0], row[1]): Version(row[0], row[1], row[2], row[3], _terms.decode(row[4])) for row in rows}


_versions = Versions(_read)


async def list_versions(wanted: Iterable[Key]) -> dict[Key, Version]:
    """These versions by (template id, version); read once a process, because none ever changes."""
    return await _versions.find(wanted)


async def get_version(template_id: str, version: int) -> Version:
    """One version; ``KeyError`` for none."""
    return (await list_versions([(template_id, version)]))[template_id, version]
