"""What phones show of stores, and on top of the first page."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import queries as auth
from backend.auth.types import Store
from backend.kernel import db

from ..remembered import Remembered

KEPT_S = 5.0
STORES_KEPT = 2_000
MOST_BANNERS = 20


class StorePicture(msgspec.Struct, frozen=True):
    """A picture of a store, or its floor plan (``kind`` is ``picture`` or ``plan``)."""

    media_id: str
    kind: str
    title: str
    sort: int


class StorePlace(msgspec.Struct, frozen=True):
    """A store with its pictures."""

    store: Store
    pictures: tuple[StorePicture, ...]


class Banner(msgspec.Struct, frozen=True):
    """A picture on top of the first page, and where it leads (``link_kind``: ``none``, ``product``, ``category``)."""

    id: str
    title: str
    picture: str
    link_kind: str
    link: str
    store_id: str | None
    sort: int
    starts_at: datetime | None
    ends_at: datetime | None

    def runs_at(self, at: datetime) -> bool:
        """Whether it is shown then."""
        return (self.starts_at is None or self.starts_at <= at) and (self.ends_at is None or at < self.ends_at)


async def list_store_pictures(store_id: str | None = None) -> dict[str, list[StorePicture]]:
    """The pictures of a store (of every one where none is named), by store, in their order."""
    rows = await db.fetch(
        "SELECT store_id, media_id, kind, title, sort FROM mall_store_picture"
        " WHERE $1::text IS NULL OR store_id = $1 ORDER BY store_id, kind, sort, media_id",
        store_id,
    )
    found: dict[str, list[StorePicture]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(StorePicture(*row[1:]))
    return found


async def list_banners() -> list[Banner]:
    """Every banner, in the order they are shown in."""
    rows = await db.fetch(
        "SELECT id, title, picture, link_kind, link, store_id, sort, starts_at, ends_at FROM mall_banner"
        " ORDER BY sort, id LIMIT 200"
    )
    return [Banner(*row) for row in rows]


async def _read_places(_: None) -> tuple[StorePlace, ...]:
    pictures = await list_store_pictures()
    return tuple(StorePlace(store, tuple(pictures.get(store.id, ()))) for store in await auth.list_stores())


async def _read_banners(_: None) -> tuple[Banner, ...]:
    return tuple(await list_banners())


_places: Remembered[None, tuple[StorePlace, ...]] = Remembered(_read_places, seconds=KEPT_S, most=2)
_banners: Remembered[None, tuple[Banner, ...]] = Remembered(_read_banners, seconds=KEPT_S, most=2)


async def places() -> tuple[StorePlace, ...]:
    """Every store with its pictures; at most five seconds old."""
    return await _places.get(None)


async def banners_of(store_id: str, at: datetime) -> list[Banner]:
    """What is on top of a store's first page then; at most five seconds old."""
    shown = [b for b in await _banners.get(None) if b.store_id in (None, store_id) and b.runs_at(at)]
    return shown[:MOST_BANNERS]


def forget_places() -> None:
    """Read them again at the next question: they were changed here."""
    _places.forget()
    _banners.forget()
