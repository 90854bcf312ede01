"""The demo's mall: the shop's articles as products with brands and pictures, some that come in colours and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from PIL import Image, ImageDraw

from backend.kernel import db, pictures
from backend.kernel.db import Tx
from backend.mall import service

from . import banners
from .catalogue import CATEGORIES, MAKERS, Article, make_articles

TREE = (
    ("food", "食品", ("bakery", "snack", "noodle", "fruit", "fresh", "dairy")),
    ("drink", "饮品酒水", ("water", "tea", "liquor")),
    ("living", "日用百货", ("care", "home", "goods")),
)
GOODS = ("goods", "惠员周边", 10_000)
OWN_BRAND = "huiyuan"
BRANDS = (*((f"maker{number}", name) for number, name in enumerate(MAKERS, 1)), (OWN_BRAND, "惠员"))
SUPPLIERS = (("SUP1", "华东食品商贸", "food"), ("SUP2", "长三角日化", "daily"))
SUPPLIER_CATEGORIES = (("food", "食品供应商"), ("daily", "日化供应商"))
ATTRIBUTES = (("origin", "产地", ["江苏", "浙江", "上海", "海南"]), ("storage", "储存", ["常温", "冷藏"]))
COLD = ("dairy", "fresh", "fruit")
ONLY_AT_TILLS = ("tobacco",)
"""What may not be sold online."""


class Axis(msgspec.Struct, frozen=True):
    """One thing to choose."""

    name: str
    values: tuple[str, ...]


class Choice(msgspec.Struct, frozen=True):
    """A product that comes in several kinds; the price rises with each value of the last axis."""

    id: str
    name: str
    subtitle: str
    from_fen: int
    step_fen: int
    weight_g: int
    axes: tuple[Axis, ...]


CHOICES = (
    Choice(
        "P-SHIRT",
        "惠员纪念T恤",
        "240 克重磅纯棉",
        7900,
        500,
        260,
        (Axis("颜色", ("白色", "墨绿", "藏青")), Axis("尺码", ("S", "M", "L", "XL"))),
    ),
    Choice("P-BAG", "惠员帆布袋", "可装一周的菜", 2900, 0, 180, (Axis("颜色", ("米白", "黑色", "墨绿")),)),
    Choice(
        "P-CUP",
        "惠员保温杯",
        "六小时保温",
        8900,
        2000,
        350,
        (Axis("颜色", ("白色", "墨绿")), Axis("容量", ("350ml", "500ml"))),
    ),
)


class Sku(msgspec.Struct, frozen=True):
    """A choice that was made: an article of a product."""

    sku: str
    product: Choice
    spec: tuple[str, ...]
    price_fen: int


def make_choices() -> list[Sku]:
    """Every article of the products that come in several kinds."""
    made = []
    for number, product in enumerate(CHOICES, 1):
        last = product.axes[-1]
        for position, spec in enumerate(_combinations(product.axes)):
            price = product.from_fen + product.step_fen * last.values.index(spec[-1])
            made.append(Sku(f"3{number:02d}{position + 1:03d}", product, spec, price))
    return made


def _combinations(axes: Sequence[Axis]) -> Iterator[tuple[str, ...]]:
    if not axes:
        yield ()
        return
    for value in axes[0].values:
        for rest in _combinations(axes[1:]):
            yield (value, *rest)


async def load(tx: Tx, store_ids: Sequence[str], now: datetime) -> None:
    """Make a mall of the articles that are there, and publish it at every store."""
    articles, choices = make_articles(), make_choices()
    await _copy_around(tx, now)
    pictures_of = await _copy_pictures(tx, articles, now)
    await _copy_choices(tx, choices)
    await _copy_products(tx, articles, choices, pictures_of, now)
    product_ids = [article.sku for article in articles] + [product.id for product in CHOICES]
    await service.index_articles(tx, [article.sku for article in articles] + [sku.sku for sku in choices])
    await service.index_products(tx, product_ids)
    at_tills_only = {article.sku for article in articles if article.category in ONLY_AT_TILLS}
    await _copy(
        tx,
        "mall_publication",
        ("channel", "store_id", "product_id", "at"),
        [
            (channel, store_id, product_id, now)
            for channel in ("mall", "pos")
            for store_id in store_ids
            for product_id in product_ids
            if channel == "pos" or product_id not in at_tills_only
        ],
    )
    await _copy_prices(tx, articles, choices, now)
    await _copy_banners(tx, now)


async def _copy(tx: Tx, table: str, columns: Sequence[str], records: Sequence[tuple[Any, ...]]) -> None:
    await db.raw(tx).copy_records_to_table(table, records=records, columns=columns)


async def _copy_around(tx: Tx, now: datetime) -> None:
    """Categories above the articles' own, brands, suppliers, attributes."""
    raw = db.raw(tx)
    await _copy(
        tx,
        "mall_category",
        ("code", "name", "points_rate_bp", "sort"),
        [(code, name, 10_000, number) for number, (code, name, _) in enumerate(TREE)],
    )
    await _copy(tx, "mall_category", ("code", "name", "points_rate_bp"), [GOODS])
    for code, _, below in TREE:
        await raw.execute(
            "UPDATE mall_category c SET parent_id = $1, sort = w.sort FROM unnest($2::text[]) WITH ORDINALITY"
            " AS w (code, sort) WHERE c.code = w.code",
            code,
            list(below),
        )
    await raw.execute("UPDATE mall_category SET shown = false WHERE code = ANY($1)", list(ONLY_AT_TILLS))
    await _copy(tx, "mall_brand", ("code", "name", "sort"), [(*brand, n) for n, brand in enumerate(BRANDS)])
    await _copy(tx, "mall_supplier_category", ("code", "name"), SUPPLIER_CATEGORIES)
    await _copy(
        tx,
        "mall_supplier",
        ("code", "name", "category_id", "contact", "phone", "note", "active"),
        [(code, name, category, "", "", "", True) for code, name, category in SUPPLIERS],
    )
    await _copy(
        tx,
        "mall_attribute",
        ("code", "name", "kind", "choices", "filtered", "sort"),
        [
            (code, name, "choice", msgspec.json.encode(choices).decode(), True, number)
            for number, (code, name, choices) in enumerate(ATTRIBUTES)
        ],
    )


async def _copy_choices(tx: Tx, choices: Sequence[Sku]) -> None:
    await _copy(
        tx,
        "mall_article",
        ("sku", "name", "category_id", "unit_price_fen", "cost_fen", "active", "weight_g"),
        [
            (
                sku.sku,
                f"{sku.product.name} {' '.join(sku.spec)}",
                GOODS[0],
                sku.price_fen,
                sku.price_fen * 4 // 10,
                True,
                sku.product.weight_g,
            )
            for sku in choices
        ],
    )


async def _copy_products(
    tx: Tx, articles: Sequence[Article], choices: Sequence[Sku], pictures_of: dict[str, str], now: datetime
) -> None:
    """Every article of the shop is a product of its own; the goods are chosen by colour and size."""
    columns = (
        *("id", "name", "subtitle", "category_id", "brand_id", "description", "pictures", "axes", "attributes"),
        *("active", "from_fen", "version", "created_at", "updated_at"),
    )
    singles = [
        (
            article.sku,
            article.name,
            "",
            article.category,
            _brand(article),
            "",
            _json([pictures_of[article.category + article.name]]),
            "[]",
            _json(_attributes(number, article)),
            True,
            article.unit_price_fen,
            1,
            now - timedelta(minutes=number),
            now,
        )
        for number, article in enumerate(articles)
    ]
    goods = [
        (
            product.id,
            product.name,
            product.subtitle,
            GOODS[0],
            OWN_BRAND,
            f"{product.name}，{product.subtitle}。",
            _json([pictures_of[product.id]]),
            _json(product.axes),
            "{}",
            True,
            product.from_fen,
            1,
            now,
            now,
        )
        for product in CHOICES
    ]
    names = {"name_key": ""}
    await _copy(tx, "mall_product", (*columns, *names), [(*row, *names.values()) for row in [*singles, *goods]])
    await db.raw(tx).execute(
        "UPDATE mall_article a SET product_id = w.product_id, spec = w.spec::jsonb, brand_id = w.brand_id,"
        "  supplier_id = w.supplier_id, tracked = w.tracked,"
        "  weight_g = CASE WHEN a.weight_g = 0 THEN 300 ELSE a.weight_g END"
        "  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[])"
        "    AS w (sku, product_id, spec, brand_id, supplier_id, tracked) WHERE a.sku = w.sku",
        *zip(
            *(
                (a.sku, a.sku, "[]", _brand(a), "SUP2" if a.category in ("care", "home") else "SUP1", True)
                for a in articles
            ),
            *((sku.sku, sku.product.id, _json(sku.spec), OWN_BRAND, "SUP2", True) for sku in choices),
            strict=True,
        ),
    )


async def _copy_prices(tx: Tx, articles: Sequence[Article], choices: Sequence[Sku], now: datetime) -> None:
    """Some are cheaper for gold and black cards, some this week."""
    levels = [
        (item.sku, level, item.unit_price_fen * share // 100)
        for item in articles[::7]
        for level, share in (("gold", 92), ("black", 88))
    ]
    levels += [(sku.sku, "black", sku.price_fen * 80 // 100) for sku in choices]
    await _copy(tx, "mall_level_price", ("sku", "level", "price_fen"), levels)
    await _copy(
        tx,
        "mall_timed_price",
        ("id", "sku", "price_fen", "starts_at", "ends_at"),
        [
            (
                f"W{number:05d}",
                item.sku,
                item.unit_price_fen * 75 // 100,
                now - timedelta(days=1),
                now + timedelta(days=7),
            )
            for number, item in enumerate(articles[3::11])
        ],
    )


def _brand(article: Article) -> str:
    return next(code for code, name in BRANDS if article.name.startswith(name))


def _attributes(number: int, article: Article) -> dict[str, str]:
    origins = ATTRIBUTES[0][2]
    return {"origin": origins[number % len(origins)], "storage": "冷藏" if article.category in COLD else "常温"}


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# ------------------------------------------------------------------------------------------------------- pictures


_GROUNDS = ("#e8f3ee", "#fdf1e3", "#eaf0fb", "#fbeaea", "#f3ecfa", "#f4f4e4")
_INKS = ("#0b7a5b", "#c46a12", "#2f5fb3", "#b23b3b", "#6d3fa0", "#7a7420")


async def _copy_banners(tx: Tx, now: datetime) -> None:
    drawn = [banners.draw(banner.grounds, number) for number, banner in enumerate(banners.BANNERS)]
    await _copy_media(tx, drawn, now)
    await _copy(
        tx,
        "mall_banner",
        ("id", "title", "picture", "link_kind", "link", "store_id", "sort"),
        [
            (f"NDEMO{number}", one.title, picture.id, one.link_kind, one.link, one.store_id, number)
            for number, (one, picture) in enumerate(zip(banners.BANNERS, drawn, strict=True))
        ],
    )


async def _copy_media(tx: Tx, drawn: Iterable[pictures.Picture], now: datetime) -> None:
    await _copy(
        tx,
        "mall_media",
        ("id", "kind", "width", "height", "large", "small", "at"),
        [(one.id, pictures.KIND, one.width, one.height, one.large, one.small, now) for one in drawn],
    )


async def _copy_pictures(tx: Tx, articles: Sequence[Article], now: datetime) -> dict[str, str]:
    """Draw two pictures for each kind of thing; returns the id of each article's, by category and name."""
    ids: dict[str, str] = {}
    drawn: dict[tuple[int, int], pictures.Picture] = {}
    positions = {category.code: number for number, category in enumerate(CATEGORIES)}
    for article in articles:
        shape = positions[article.category]
        maker = next(number for number, name in enumerate(MAKERS) if article.name.startswith(name)) % 2
        if (shape, maker) not in drawn:
            drawn[shape, maker] = draw(shape, maker)
        ids[article.category + article.name] = drawn[shape, maker].id
    for number, product in enumerate(CHOICES):
        drawn[len(CATEGORIES) + number, 0] = draw(len(CATEGORIES) + number, 0)
        ids[product.id] = drawn[len(CATEGORIES) + number, 0].id
    await _copy_media(tx, drawn.values(), now)
    return ids


_SHAPES: tuple[tuple[tuple[str, tuple[int, ...]], ...], ...] = (
    (("round", (150, 110, 250, 340)), ("box", (175, 70, 225, 120))),  # a bottle
    (("round", (110, 150, 270, 320)), ("ring", (250, 190, 310, 270))),  # a cup
    (("box", (130, 160, 270, 340)), ("peak", (130, 160, 200, 80, 270, 160))),  # a carton
    (("round", (90, 160, 310, 310)), ("line", (150, 180, 150, 290)), ("line", (250, 180, 250, 290))),  # a loaf
    (("box", (130, 90, 270, 330)), ("line", (130, 120, 270, 120)), ("line", (130, 300, 270, 300))),  # a bag of crisps
    (("bowl", (90, 110, 310, 330)), ("line", (230, 90, 290, 210)), ("line", (260, 80, 310, 200))),  # noodles
    (("disc", (110, 130, 290, 320)), ("line", (200, 130, 220, 80))),  # a fruit
    (("box", (90, 150, 310, 310)), ("line", (200, 150, 200, 310)), ("line", (90, 230, 310, 230))),  # a lunch box
    (("round", (140, 140, 260, 340)), ("box", (180, 90, 220, 140)), ("line", (180, 100, 150, 100))),  # a pump bottle
    (
        ("box", (100, 170, 300, 310)),
        ("disc", (160, 190, 240, 230)),
        ("peak", (170, 170, 200, 110, 230, 170)),
    ),  # a box
    (("round", (160, 170, 240, 350)), ("box", (185, 70, 215, 180))),  # a tall bottle
    (("box", (130, 130, 270, 330)), ("line", (130, 190, 270, 190))),  # a packet
    (("box", (140, 120, 260, 330)), ("peak", (140, 120, 70, 200, 140, 210)), ("peak", (260, 120, 330, 200, 260, 210))),
    (("box", (110, 180, 290, 340)), ("ring", (150, 90, 250, 270))),  # a bag
    (("round", (150, 120, 250, 340)), ("box", (160, 90, 240, 125)), ("line", (150, 200, 250, 200))),  # a flask
)


def draw(shape: int, maker: int) -> pictures.Picture:
    """A plain drawing of a kind of thing, in a maker's colour."""
    image = Image.new("RGB", (400, 400), _GROUNDS[(shape + maker) % len(_GROUNDS)])
    pen, ink = ImageDraw.Draw(image), _INKS[(shape * 2 + maker) % len(_INKS)]
    ground = _GROUNDS[(shape + maker) % len(_GROUNDS)]
    for kind, place in reversed(_SHAPES[shape]):
        if kind == "box":
            pen.rectangle(place, fill=ink)
        elif kind == "round":
            pen.rounded_rectangle(place, radius=36, fill=ink)
        elif kind == "disc":
            pen.ellipse(place, fill=ink)
        elif kind == "ring":
            pen.ellipse(place, outline=ink, width=16)
        elif kind == "bowl":
            pen.pieslice(place, 0, 180, fill=ink)
        elif kind == "peak":
            pen.polygon(place, fill=ink)
    for kind, place in _SHAPES[shape]:
        if kind == "line":
            pen.line(place, fill=ground, width=10)
    return pictures.encode(image)


__all__ = ["CHOICES", "GOODS", "draw", "load", "make_choices"]
