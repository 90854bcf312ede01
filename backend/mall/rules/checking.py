"""What is wrong with rows of products and articles, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ..types import ArticleRow, Flaw, Known, ProductRow
from . import attributes as values


def flaws_of_product(row: ProductRow, articles: Sequence[ArticleRow], known: Known) -> Iterator[Flaw]:
    """What a product and all of its articles get wrong between them."""
    if row.category not in known.categories:
        yield Flaw(None, "category", "there is no such category")
    if row.brand is not None and row.brand not in known.brands:
        yield Flaw(None, "brand", "there is no such brand")
    for code, value in row.attributes.items():
        attribute = known.attributes.get(code)
        message = "there is no such attribute" if attribute is None else values.check_value(attribute, value)
        if message is not None:
            yield Flaw(None, "attributes", f"{code}: {message}")
    for media_id in row.pictures or ():
        if media_id not in known.pictures:
            yield Flaw(None, "pictures", "there is no such picture")
    names = [name for name, _ in row.axes]
    if len(set(names)) < len(names) or any(len(set(each)) < len(each) for _, each in row.axes):
        yield Flaw(None, "axes", "each name and each value at most once")
    yield from _flaws_of_specs(row, articles)


def _flaws_of_specs(row: ProductRow, articles: Sequence[ArticleRow]) -> Iterator[Flaw]:
    seen: set[tuple[str, ...] | None] = set()
    for position, article in enumerate(articles):
        spec = article.spec or ()
        if len(spec) != len(row.axes) or any(v not in each for v, (_, each) in zip(spec, row.axes, strict=False)):
            yield Flaw(position, "spec", "is not one value of each axis")
        elif spec in seen:
            yield Flaw(position, "spec", "is that of another article of this product")
        seen.add(spec)


def flaws_of_articles(articles: Sequence[ArticleRow], known: Known) -> Iterator[Flaw]:
    """What articles get wrong, each by itself and beside the others."""
    skus: set[str] = set()
    barcodes: set[str] = set()
    ours = {article.sku for article in articles}
    for position, article in enumerate(articles):
        if article.sku in skus:
            yield Flaw(position, "sku", "is named twice")
        owner = known.products.get(article.sku)
        if owner is not None and owner != article.product_id:
            yield Flaw(position, "sku", f"belongs to the product {owner}")
        if article.barcode is not None:
            holder = known.barcodes.get(article.barcode, article.sku)
            if article.barcode in barcodes or (holder != article.sku and holder not in ours):
                yield Flaw(position, "barcode", "is another article's")
            barcodes.add(article.barcode)
        skus.add(article.sku)
        yield from _flaws_of_article(position, article, known)


def _flaws_of_article(position: int, article: ArticleRow, known: Known) -> Iterator[Flaw]:
    if article.product_id is None and article.category not in known.categories:
        yield Flaw(position, "category", "there is no such category")
    if article.product_id is None and article.brand is not None and article.brand not in known.brands:
        yield Flaw(position, "brand", "there is no such brand")
    if article.supplier is not None and article.supplier not in known.suppliers:
        yield Flaw(position, "supplier", "there is no such supplier")
    if article.picture is not None and article.picture not in known.pictures:
        yield Flaw(position, "picture", "there is no such picture")
    for level in article.levels or {}:
        if level not in known.levels:
            yield Flaw(position, "levels", f"there is no level {level}")


def same(
    product: ProductRow, articles: Sequence[ArticleRow], wanted: ProductRow, wanted_articles: Sequence[ArticleRow]
) -> bool:
    """Whether a product with all of its articles is already as it is wanted; what is not said (None) is as it is."""
    kept = {article.sku: article for article in articles}
    return (
        _filled(wanted, product) == product
        and len(wanted_articles) == len(kept) == len({article.sku for article in wanted_articles})
        and all(
            article.sku in kept and _filled(article, kept[article.sku]) == kept[article.sku]
            for article in wanted_articles
        )
    )


_LEFT = {ProductRow: ("description", "pictures"), ArticleRow: ("levels", "spec")}
"""What None leaves as it is."""


def _filled(wanted: ProductRow | ArticleRow, kept: ProductRow | ArticleRow) -> ProductRow | ArticleRow:
    left = {name: getattr(kept, name) for name in _LEFT[type(wanted)] if getattr(wanted, name) is None}
    return msgspec.structs.replace(wanted, **left)
