"""The catalogue as CSV and XLSX: what goes out comes in again, and a mistake changes nothing and is named."""

from __future__ import annotations

import csv
import io
import zipfile
from decimal import Decimal

import openpyxl
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from backend.demo import mall as demo
from backend.demo.load import _copy_rules
from backend.kernel import clock, db, incoming
from backend.mall.commands import indexing, tables
from backend.mall.rules.tables import COLUMNS, read_yuan, yuan

MALL = "/v1/admin/mall"
HEADING = ["product", "name", "category", "brand", "sku", "spec", "price"]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def mall(database, chain):
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM mall_article")
        await db.raw(tx).execute("DELETE FROM mall_category")
        await _copy_rules(db.raw(tx))
        await demo.load(tx, ["S1"], clock.now())


async def everything() -> list:
    columns = {
        "product": "id, name, subtitle, category_id, brand_id, description, pictures, axes, attributes, active,"
        " from_fen, name_key, terms::text",
        "article": "sku, barcode, name, category_id, unit_price_fen, cost_fen, active, product_id, spec, brand_id,"
        " supplier_id, weight_g, tracked, name_key, terms::text",
        "level_price": "*",
    }
    return [await db.fetch(f"SELECT {what} FROM mall_{table} ORDER BY 1, 2") for table, what in columns.items()]


def as_csv(*rows, encoding="utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(*rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def send(admin, data: bytes, kind="csv", *, dry_run=False):
    return await admin.client.post(
        f"{MALL}/import.{kind}?dry_run={str(dry_run).lower()}",
        content=data,
        headers={"authorization": f"Bearer {admin.access_token}", "content-type": "application/octet-stream"},
    )


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_what_was_exported_comes_in_again_and_changes_nothing(admin, kind):
    before = await everything()
    exported = await admin.get(f"{MALL}/export.{kind}")

    imported = await send(admin, exported.content, kind)

    assert exported.status_code == 200
    assert imported.json() == {
        "rows": 319,
        "products_new": 0,
        "products_changed": 303,
        "articles_new": 0,
        "articles_changed": 319,
        "errors": [],
    }
    assert await everything() == before


async def test_new_products_come_with_their_choices_in_gb18030_and_from_workbooks(admin):
    rows = [
        ["商品编码", "商品名称", "分类", "品牌", "SKU编码", "规格", "售价(元)", "会员价(元)", "管理库存"],
        ["SOCK", "长筒袜", "goods", "huiyuan", "SOCK-1", "颜色:红;尺码:S", "12.5", "gold:11;black:9.90", "是"],
        ["SOCK", "长筒袜", "goods", "huiyuan", "SOCK-2", "颜色:红;尺码:M", "13", "", "否"],
    ]
    looked = await send(admin, as_csv(*rows, encoding="gb18030"), dry_run=True)
    before = await db.fetchval("SELECT count(*) FROM mall_product WHERE id = 'SOCK'")
    made = await send(admin, as_csv(*rows, encoding="gb18030"))
    blue = ["SOCK", "长筒袜", "goods", "huiyuan", "SOCK-3", "颜色:蓝;尺码:S", 14.25]
    more = await send(admin, as_xlsx(HEADING, blue, [], ["", "单件", "goods", None, 700001, None, 3]), "xlsx")

    product = (await admin.get(f"{MALL}/products/SOCK")).json()
    single = await db.fetch("SELECT name, unit_price_fen, product_id FROM mall_article WHERE sku = '700001'")
    assert (looked.json()["products_new"], looked.json()["errors"], before) == (1, [], 0)
    assert (made.status_code, more.status_code) == (200, 200), more.text
    assert product["axes"] == [{"name": "颜色", "values": ["红", "蓝"]}, {"name": "尺码", "values": ["S", "M"]}]
    assert [(s["sku"], s["unit_price_fen"], s["level_prices"], s["tracked"]) for s in product["skus"]] == [
        ("SOCK-1", 1_250, {"gold": 1_100, "black": 990}, True),
        ("SOCK-2", 1_300, {}, False),
        ("SOCK-3", 1_425, {}, False),
    ]
    assert [tuple(row) for row in single] == [("单件", 300, None)]


MISTAKES = [
    (["P-1", "名", "none", "", "N-1", "", "1"], 3, "category"),
    (["P-1", "名", "goods", "none", "N-1", "", "1"], 3, "brand"),
    (["P-1", "名", "goods", "", "N 1", "", "1"], 3, "sku"),
    (["P-1", "名", "goods", "", "N-1", "", "0"], 3, "price"),
    (["P-1", "名", "goods", "", "N-1", "", "1.234"], 3, "price"),
    (["P-1", "名", "goods", "", "N-1", "", "=1+1"], 3, "price"),
    (["P-1", "", "goods", "", "N-1", "", "1"], 3, "name"),
    (["P-1", "名", "goods", "", "N-1", "颜色", "1"], 3, "spec"),
    (["P-SHIRT", "惠员纪念T恤", "goods", "huiyuan", "N-1", "颜色:白色", "1"], 3, "spec"),
    (["P-SHIRT", "惠员纪念T恤", "goods", "huiyuan", "N-1", "颜色:白色;尺码:S", "1"], 3, "spec"),
    (["P-BAG", "惠员帆布袋", "goods", "huiyuan", "301001", "颜色:红", "1"], 3, "sku"),
    (["", "名", "goods", "", "N-1", "颜色:红", "1"], 3, "product"),
    (["P-1", "名", "goods", "", "OK-1", "", "1"], 3, "sku"),
    (["OKP", "别名", "goods", "", "N-1", "", "1"], 3, "name"),
    (["P-1", "名", "goods", "", "N-1", "", "1", "more"], 3, ""),
]


@pytest.mark.parametrize(
    ("row", "at", "field"), MISTAKES, ids=[f"{field}-{n}" for n, (_, _, field) in enumerate(MISTAKES)]
)
async def test_one_mistake_is_named_and_changes_nothing(admin, row, at, field):
    data = as_csv(HEADING, ["OKP", "好", "goods", "", "OK-1", "", "1.00"], row)
    before = await everything()

    looked = await send(admin, data, dry_run=True)
    refused = await send(admin, data)

    assert (at, field) in [(error["row"], error["field"]) for error in looked.json()["errors"]]
    assert refused.status_code == 422
    assert f"/rows/{at}/{field}" in [error["pointer"] for error in refused.json()["errors"]]
    assert await everything() == before


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (65 << 20))
    return out.getvalue()


def with_entities() -> bytes:
    """A workbook whose shared texts are entities that grow when they are read."""
    source, out = zipfile.ZipFile(io.BytesIO(as_xlsx(HEADING, ["a"] * 7))), io.BytesIO()
    lol = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    with zipfile.ZipFile(out, "w") as archive:
        for name in source.namelist():
            part = source.read(name)
            if name.endswith("sharedStrings.xml"):
                part = lol.encode() + part.replace(b"<t>a</t>", b"<t>&b;</t>")
            archive.writestr(name, part)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "csv"),
        (b"\xff\xff\xff", "csv"),
        (as_csv(HEADING), "csv"),
        (as_csv(["sku", "name"], ["1", "a"]), "csv"),
        (as_csv([*HEADING, "sku"], ["a"] * 8), "csv"),
        (as_csv([*HEADING, "secret"], ["a"] * 8), "csv"),
        (b'"never closed', "csv"),
        (as_csv(*[[str(n)] for n in range(incoming.MOST_ROWS + 2)]), "csv"),
        (as_csv(["x" * 2_001], ["a"]), "csv"),
        (as_csv(HEADING, ["A\0", *["a"] * 6]), "csv"),
        (b"PK\x03\x04 no archive", "xlsx"),
        (as_csv(HEADING, ["a"] * 7), "xlsx"),
        (bomb(), "xlsx"),
        (with_entities(), "xlsx"),
    ],
    ids=range(14),
)
async def test_what_is_no_such_table_is_refused(admin, data, kind):
    before = await everything()

    refused = await send(admin, data, kind)

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed"), refused.text
    assert await everything() == before


async def test_formulas_go_out_as_texts_and_come_back_as_they_were(admin):
    name = "=HYPERLINK(1)"
    made = await send(admin, as_csv(HEADING, ["", name, "goods", "", "EVIL", "", "1"]))

    rows = list(csv.reader(io.StringIO((await admin.get(f"{MALL}/export.csv")).content.decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO((await admin.get(f"{MALL}/export.xlsx")).content))
    exported = next(row for row in rows if "EVIL" in row)
    again = await send(admin, as_csv(list(COLUMNS), exported))

    cells = [cell for row in book.active.iter_rows() for cell in row if str(cell.value).endswith(name)]
    assert made.status_code == again.status_code == 200
    assert exported[1] == f"'{name}"
    assert [cell.data_type for cell in cells] == ["s"]
    assert await db.fetchval("SELECT name FROM mall_article WHERE sku = 'EVIL'") == name


async def test_many_rows_come_in_at_once_and_are_found_after_the_job(settings):
    rows = [["", f"批量商品{n}", "goods", "", f"BULK-{n}", "", f"{n + 1}.05"] for n in range(600)]

    result = await tables.import_table(as_csv(HEADING, *rows), "csv", dry_run=False, staff_id=1)
    unread = await db.fetchval("SELECT count(*) FROM mall_article WHERE terms IS NULL")
    await indexing.index_unread()

    assert (result.articles_new, unread) == (600, 600)
    assert await db.fetchval("SELECT count(*) FROM mall_article WHERE terms @@ '''批量'''::tsquery") == 600


@given(st.integers(0, 10**11))
def test_an_amount_is_written_and_read_exactly(fen):
    text = yuan(fen)

    assert Decimal(text) * 100 == fen
    assert read_yuan(text) == fen
