"""What the mall sells where, as this process remembers it; what it costs somebody is worked out for each question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from backend.kernel import clock, db
from backend.kernel.kept import KeptEach

from ..rules.prices import price_at
from ..types import Sellable, TimedPrice

OFFERS_KEPT_S = 10.0
OFFERS_KEPT = 20_000

AT = tuple[str, str]
"""A store, and an article by its SKU."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An article that the mall sells at a store, with all that decides its price."""

    sku: str
    product_id: str
    name: str
    spec: tuple[str, ...]
    picture: str | None
    category: str
    brand: str | None
    rate_bp: int
    cost_fen: int | None
    weight_g: int
    tracked: bool
    list_fen: int
    levels: dict[str, int]
    timed: tuple[TimedPrice, ...]


_OFFERS = f"""
SELECT w.store_id, a.sku, p.id, p.name, a.spec, coalesce(a.picture, p.pictures->>0), a.category_id, a.brand_id,
       c.points_rate_bp, a.cost_fen, a.weight_g, a.tracked, a.unit_price_fen,
       (SELECT jsonb_object_agg(l.level, l.price_fen) FROM mall_level_price l WHERE l.sku = a.sku),
       (SELECT jsonb_agg(jsonb_build_array(t.price_fen, t.starts_at, t.ends_at)) FROM mall_timed_price t
         WHERE t.sku = a.sku AND t.ends_at > $3)
  FROM unnest({db.given(1, "text")}, {db.given(2, "text")}) AS w (store_id, sku)
  JOIN mall_article a ON a.sku = w.sku AND a.active
  JOIN mall_product p ON p.id = a.product_id AND p.active
  JOIN mall_publication s ON s.channel = 'mall' AND s.store_id = w.store_id AND s.product_id = p.id
  JOIN mall_category c ON c.code = a.category_id"""  # noqa: S608 - put together of constants

_spec = msgspec.json.Decoder(tuple[str, ...])
_levels = msgspec.json.Decoder(dict[str, int])
_timed = msgspec.json.Decoder(tuple[tuple[int, datetime, datetime], ...])


def _offer(row: db.Record) -> Offer:
    return Offer(
        sku=row[1],
        product_id=row[2],
        name=row[3],
        spec=_spec.decode(row[4]),
        picture=row[5],
        category=row[6],
        brand=row[7],
        rate_bp=row[8],
        cost_fen=row[9],
        weight_g=row[10],
        tracked=row[11],
        list_fen=row[12],
        levels=_levels.decode(row[13]) if row[13] else {},
        timed=tuple(TimedPrice(*item) for item in _timed.decode(row[14])) if row[14] else (),
    )


async def _read_offers(places: list[AT]) -> list[Offer | BaseException | None]:
    rows = await db.fetch(_OFFERS, [store for store, _ in places], [sku for _, sku in places], clock.now())
    found = {(row[0], row[1]): _offer(row) for row in rows}
    return [found.get(place) for place in places]


_kept: KeptEach[AT, Offer | None] = KeptEach(_read_offers, keep_s=OFFERS_KEPT_S, most=OFFERS_KEPT)


async def find_offers(places: Sequence[AT]) -> list[Offer | None]:
    """What the mall sells at each of these places, in their order; None where it does not; at most ten seconds old."""
    return await _kept.get_many(places)


def forget_offers() -> None:
    """Read what is sold, and for how much, again at the next question: it was changed here."""
    _kept.forget()


def picture_url(picture: str | None) -> str | None:
    """Where a picture is, below the server's address."""
    return f"/v1/media/{picture}" if picture else None


def sellable(offer: Offer, level: str | None, now: datetime) -> Sellable:
    """An offer for a member of that level, at that instant."""
    price = price_at(offer.list_fen, offer.levels.get(level) if level else None, offer.timed, now)
    return Sellable(
        sku=offer.sku,
        product_id=offer.product_id,
        name=offer.name,
        spec=" / ".join(offer.spec),
        picture=picture_url(offer.picture),
        category=offer.category,
        brand=offer.brand,
        rate_bp=offer.rate_bp,
        cost_fen=offer.cost_fen,
        weight_g=offer.weight_g,
        tracked=offer.tracked,
        list_fen=offer.list_fen,
        price_fen=price.fen,
        price_kind=price.kind,
        price_until=price.until,
    )


async def find_sellable(skus: Sequence[str], *, store_id: str, level: str | None, now: datetime) -> dict[str, Sellable]:
    """What of these the mall sells at a store, by SKU, with what a piece costs a member of that level now.

    What is not published there is left out. What staff change is known here within ten seconds.
    """
    offers = await find_offers([(store_id, sku) for sku in skus])
    return {offer.sku: sellable(offer, level, now) for offer in offers if offer is not None}
