"""The catalogue as a table: a row for each article; and what a table of that kind wants of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from backend.kernel.money import MAX_AMOUNT

from ..types import ArticleRow, Attribute, ProductRow
from .attributes import read_flag, read_value

COLUMNS: dict[str, str] = {
    "product": "商品编码",
    "name": "商品名称",
    "subtitle": "副标题",
    "category": "分类",
    "brand": "品牌",
    "attributes": "属性",
    "sku": "SKU编码",
    "spec": "规格",
    "barcode": "条码",
    "price": "售价(元)",
    "levels": "会员价(元)",
    "cost": "成本(元)",
    "supplier": "供应商",
    "weight_g": "重量(克)",
    "tracked": "管理库存",
    "active": "在售",
}
"""Columns by the name that they may have instead, and what they are headed."""

REQUIRED = ("sku", "name", "category", "price")
OF_PRODUCT = ("name", "subtitle", "category", "brand", "attributes")
"""What all rows of a product say alike."""

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")
_SHORT_CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}\Z")
_BARCODE = re.compile(r"[0-9A-Za-z-]{1,20}\Z")
_YUAN = re.compile(r"(\d{1,10})(?:\.(\d{1,2}))?\Z", re.ASCII)
_WEIGHT = re.compile(r"\d{1,7}\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PART = re.compile(r"[^:;]{1,40}\Z")
_MOST_AXES = 3


class RowFlaw(msgspec.Struct, frozen=True):
    """What is wrong with a cell; rows are numbered as spreadsheets do, the heading is 1."""

    row: int
    field: str
    message: str


class Wanted(msgspec.Struct):
    """What a table wants: products, articles, and the row of each (of a product its first)."""

    products: dict[str, ProductRow]
    articles: list[ArticleRow]
    product_rows: dict[str, int]
    article_rows: list[int]


def yuan(fen: int | None) -> str:
    """An amount as a cell has it: ``12.50``."""
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"


def read_yuan(text: str) -> int | None:
    """The fen of ``12``, ``12.5`` or ``12.50``; None for what is none."""
    match = _YUAN.match(text)
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else None


def cells_of(article: ArticleRow, product: ProductRow | None) -> list[str | int]:
    """An article's row, in the order of ``COLUMNS``."""
    axes = [name for name, _ in product.axes] if product else []
    cells: dict[str, str | int] = {
        "product": article.product_id or "",
        "name": product.name if product else article.name,
        "subtitle": product.subtitle if product else "",
        "category": article.category,
        "brand": article.brand or "",
        "attributes": _pairs(product.attributes if product else {}, _shown),
        "sku": article.sku,
        "spec": ";".join(f"{name}:{value}" for name, value in zip(axes, article.spec or (), strict=False)),
        "barcode": article.barcode or "",
        "price": yuan(article.unit_price_fen),
        "levels": _pairs(article.levels or {}, yuan),
        "cost": yuan(article.cost_fen),
        "supplier": article.supplier or "",
        "weight_g": article.weight_g,
        "tracked": _shown(article.tracked),
        "active": _shown(article.active),
    }
    return [cells[column] for column in COLUMNS]


def _pairs(values: Mapping[str, Any], show: Any) -> str:
    return ";".join(f"{code}:{show(value)}" for code, value in sorted(values.items()))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)


def read_heading(cells: Sequence[str]) -> tuple[list[str], list[RowFlaw]]:
    """Which column each cell of the heading begins, and what is wrong with it."""
    names = {heading: column for column, heading in COLUMNS.items()} | {column: column for column in COLUMNS}
    columns, flaws = [], []
    for cell in cells:
        column = names.get(cell)
        if column is None:
            flaws.append(RowFlaw(1, cell[:40], "is no column of this table"))
        elif column in columns:
            flaws.append(RowFlaw(1, column, "is there twice"))
        columns.append(column or "")
    flaws += [RowFlaw(1, column, "is missing") for column in REQUIRED if column not in columns]
    return columns, flaws


def read_keys(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[set[str], set[str]]:
    """The products and the SKUs that a table names, so that what is known of them can be read."""
    places = [columns.index(name) if name in columns else None for name in ("product", "sku")]
    found: list[set[str]] = [set(), set()]
    for row in rows:
        for place, keys in zip(places, found, strict=True):
            if place is not None and place < len(row) and row[place]:
                keys.add(row[place])
    return found[0], found[1]


class Reader:
    """Reads a table's rows one after the other. A column that is not there leaves what is known of an article."""

    def __init__(
        self,
        columns: Sequence[str],
        *,
        attributes: Mapping[str, Attribute],
        products: Mapping[str, ProductRow],
        articles: Mapping[str, ArticleRow],
    ) -> None:
        self._columns = columns
        self._attributes = attributes
        self._known_products = products
        self._known_articles = articles
        self._first: dict[str, tuple[int, dict[str, str]]] = {}
        self.flaws: list[RowFlaw] = []
        self.wanted = Wanted({}, [], {}, [])

    def read(self, number: int, cells: Sequence[str]) -> None:
        """Take a row; an empty one is passed over."""
        if not any(cells):
            return
        if len(cells) > len(self._columns):
            self._flaw(number, "", "has more cells than the heading")
            return
        row = dict(zip(self._columns, [*cells, *[""] * (len(self._columns) - len(cells))], strict=True))
        if not _CODE.match(row["sku"]):
            self._flaw(number, "sku", "is 1 to 40 letters, digits, dots, dashes and underscores")
            return
        product_id = row.get("product", "") or None
        if product_id is not None and not _CODE.match(product_id):
            self._flaw(number, "product", "is 1 to 40 letters, digits, dots, dashes and underscores")
            return
        self._check_texts(number, row)
        spec = self._spec(number, row.get("spec"))
        product = self._product(number, product_id, row, spec) if product_id is not None else None
        if product_id is None and (spec or row.get("subtitle") or row.get("attributes")):
            self._flaw(number, "product", "is missing: only a product has a choice, a subtitle and attributes")
        self._article(number, row, product, tuple(value for _, value in spec))

    def _flaw(self, number: int, field: str, message: str) -> None:
        self.flaws.append(RowFlaw(number, field, message))

    def _check_texts(self, number: int, row: Mapping[str, str]) -> None:
        if not 1 <= len(row["name"]) <= 80:
            self._flaw(number, "name", "is 1 to 80 characters")
        if len(row.get("subtitle", "")) > 120:
            self._flaw(number, "subtitle", "is at most 120 characters")
        for column in ("name", "subtitle", "spec"):
            if _CONTROL.search(row.get(column, "")):
                self._flaw(number, column, "has control characters")
        for column in ("category", "brand", "supplier"):
            value = row.get(column, "")
            if (value or column == "category") and not _SHORT_CODE.match(value):
                self._flaw(number, column, "is no code")
        if row.get("barcode") and not _BARCODE.match(row["barcode"]):
            self._flaw(number, "barcode", "is 1 to 20 letters, digits and dashes")

    def _spec(self, number: int, text: str | None) -> list[tuple[str, str]]:
        """``颜色:白色;尺码:S`` taken apart."""
        pairs = [part.partition(":")[::2] for part in text.split(";")] if text else []
        if len(pairs) > _MOST_AXES or any(not _PART.match(n) or len(n) > 20 or not _PART.match(v) for n, v in pairs):
            self._flaw(number, "spec", "is like 颜色:白色;尺码:S, of at most three")
            return []
        return pairs

    def _product(
        self, number: int, product_id: str, row: Mapping[str, str], spec: Sequence[tuple[str, str]]
    ) -> ProductRow:
        known = self._known_products.get(product_id)
        shared = {column: row[column] for column in OF_PRODUCT if column in row}
        if product_id not in self._first:
            self._first[product_id] = (number, shared)
            attributes = self._read_attributes(number, row.get("attributes"))
            kept: dict[str, Any] = msgspec.structs.asdict(known) if known else {"axes": (), "attributes": {}}
            kept |= {"id": product_id, "name": row["name"], "category": row["category"]}
            kept["description"], kept["pictures"] = None, None
            kept["subtitle"] = row["subtitle"] if "subtitle" in row else kept.get("subtitle", "")
            kept["brand"] = (row["brand"] or None) if "brand" in row else kept.get("brand")
            if attributes is not None:
                kept["attributes"] = attributes
            self.wanted.products[product_id] = ProductRow(**kept)
            self.wanted.product_rows[product_id] = number
        first, said = self._first[product_id]
        for column, value in shared.items():
            if value != said[column]:
                self._flaw(number, column, f"is not what row {first} says of this product")
        product = self._with_spec(number, self.wanted.products[product_id], spec, new=number == first and known is None)
        self.wanted.products[product_id] = product
        return product

    def _with_spec(self, number: int, product: ProductRow, spec: Sequence[tuple[str, str]], *, new: bool) -> ProductRow:
        """The product with this choice among its axes; the first row of a new one says what there is to choose."""
        axes = tuple((name, ()) for name, _ in spec) if new else product.axes
        if [name for name, _ in axes] != [name for name, _ in spec]:
            if "spec" in self._columns:
                self._flaw(number, "spec", "has other names than the product's other articles")
            return product
        grown = tuple(
            (name, values if value in values else (*values, value))
            for (name, values), (_, value) in zip(axes, spec, strict=True)
        )
        return msgspec.structs.replace(product, axes=grown)

    def _read_attributes(self, number: int, text: str | None) -> dict[str, Any] | None:
        if text is None:
            return None
        found: dict[str, Any] = {}
        for part in text.split(";") if text else []:
            code, _, value = part.partition(":")
            attribute = self._attributes.get(code)
            read = read_value(attribute, value) if attribute else None
            if read is None:
                self._flaw(number, "attributes", f"{part[:60]} is no attribute with a value of its kind")
            else:
                found[code] = read
        return found

    def _article(self, number: int, row: Mapping[str, str], product: ProductRow | None, spec: tuple[str, ...]) -> None:
        known = self._known_articles.get(row["sku"])
        made: dict[str, Any] = msgspec.structs.asdict(known) if known else {"sku": row["sku"]}
        if product is not None and "spec" not in self._columns and known is not None:
            spec = known.spec or ()
        made |= {
            "name": " ".join((row["name"], *spec))[:80] if product else row["name"],
            "category": row["category"],
            "brand": product.brand if product else made.get("brand"),
            "product_id": product.id if product else None,
            "spec": spec if product else None,
            "unit_price_fen": self._fen(number, "price", row["price"]) or 1,
            "levels": self._levels(number, row["levels"]) if "levels" in row else None,
        }
        if "brand" in row and product is None:
            made["brand"] = row["brand"] or None
        for column in ("barcode", "supplier"):
            if column in row:
                made[column] = row[column] or None
        if "cost" in row:
            made["cost_fen"] = self._fen(number, "cost", row["cost"], least=0) if row["cost"] else None
        if "weight_g" in row:
            made["weight_g"] = self._weight(number, row["weight_g"])
        for column in ("tracked", "active"):
            if row.get(column):
                made[column] = self._flag(number, column, row[column])
        self.wanted.articles.append(ArticleRow(**made))
        self.wanted.article_rows.append(number)

    def _fen(self, number: int, field: str, text: str, *, least: int = 1) -> int | None:
        fen = read_yuan(text)
        if fen is None or not least <= fen <= MAX_AMOUNT:
            self._flaw(number, field, "is no amount in yuan, like 12.50")
            return None
        return fen

    def _levels(self, number: int, text: str) -> dict[str, int]:
        found = {}
        for part in text.split(";") if text else []:
            code, _, amount = part.partition(":")
            fen = self._fen(number, "levels", amount)
            if fen is not None:
                found[code] = fen
        return found

    def _weight(self, number: int, text: str) -> int:
        if text and (not _WEIGHT.match(text) or int(text) > 1_000_000):
            self._flaw(number, "weight_g", "is whole grams, at most 1000000")
            return 0
        return int(text or 0)

    def _flag(self, number: int, field: str, text: str) -> bool:
        flag = read_flag(text)
        if flag is None:
            self._flaw(number, field, "is 是 or 否")
        return bool(flag)
