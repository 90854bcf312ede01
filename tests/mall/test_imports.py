"""Large tables: taken in at once, written by a job that says how far it is, all of them or what is right of them."""

from __future__ import annotations

import asyncio
import csv
import io

import pytest
import pytest_asyncio

from backend.kernel import clock, db, ids, incoming
from backend.mall.commands import imports, tables
from tests.mall.test_tables import as_csv, as_xlsx

MALL = "/v1/admin/mall"
HEADING = ["product", "name", "category", "sku", "spec", "barcode", "price"]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def category(admin):
    assert (await admin.call("PUT", f"{MALL}/categories/goods", {"name": "百货"})).status_code == 204


@pytest.fixture(autouse=True)
def by_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many rows at once, that a small table is a large one."""
    monkeypatch.setattr(imports, "AT_ONCE", 4)
    monkeypatch.setattr(imports, "LARGEST_PRODUCT", 3)


def rows(name: str, products: int, *, wrong: dict[int, str] | None = None) -> list[list[str]]:
    """Two articles of each product, far from each other: all the first ones, then all the second ones."""
    return [
        [
            f"{name}-{n}",
            f"货{n}",
            "goods",
            f"{name}-{n}-{c}",
            f"颜色:{c}",
            "",
            (wrong or {}).get(2 * n + (c == "蓝"), "5"),
        ]
        for c in ("红", "蓝")
        for n in range(products)
    ]


def coded(table: list[list[str]]) -> list[list[str]]:
    return [[*row[:3], row[3].replace("红", "R").replace("蓝", "B"), *row[4:]] for row in table]


async def send(admin, data: bytes, *, kind="csv", on_error="refuse", key=None):
    return await admin.client.post(
        f"{MALL}/imports?kind={kind}&on_error={on_error}",
        content=data,
        headers={
            "authorization": f"Bearer {admin.access_token}",
            "content-type": "application/octet-stream",
            "idempotency-key": key or ids.new_short("K"),
        },
    )


async def begun(admin, table: list[list[str]], **how) -> str:
    answer = await send(admin, as_csv(HEADING, *coded(table)), **how)
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "waiting"
    return answer.json()["id"]


async def told(admin, import_id: str) -> dict:
    return (await admin.get(f"{MALL}/imports/{import_id}")).json()


async def kept(name: str) -> int:
    return await db.fetchval("SELECT count(*) FROM mall_article WHERE starts_with(sku, $1)", f"{name}-")


async def everything() -> list:
    tables_ = ("product", "article", "change", "import_row")
    return [await db.fetch(f"SELECT t::text FROM mall_{table} t ORDER BY 1") for table in tables_]


async def test_a_large_table_is_written_whole_and_said_to_be(admin):
    import_id = await begun(admin, rows("WHOLE", 7))
    queued = await db.fetchval(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = $1 AND args->>'import_id' = $2",
        imports.JOB,
        import_id,
    )

    await imports.run(import_id)
    await imports.run(import_id)

    done = await told(admin, import_id)
    assert queued == 1
    assert (done["state"], done["rows"], done["rows_done"], done["rows_skipped"]) == ("done", 14, 14, 0)
    assert (done["products_new"], done["articles_new"], done["articles_changed"]) == (7, 14, 0)
    assert (done["errors"], done["ended_at"] is not None, await kept("WHOLE")) == ([], True, 14)
    product = (await admin.get(f"{MALL}/products/WHOLE-3")).json()
    assert [(sku["sku"], sku["spec"]) for sku in product["skus"]] == [("WHOLE-3-B", ["蓝"]), ("WHOLE-3-R", ["红"])]
    assert await db.fetchval("SELECT count(*) FROM mall_import_row") == 0
    changes = (await admin.get(f"{MALL}/changes?kind=import&ref={import_id}")).json()["items"]
    assert [change["detail"]["rows"] for change in changes] == [14]
    again = await begun(admin, rows("WHOLE", 7))
    await imports.run(again)
    assert (await told(admin, again))["articles_changed"] == 14


@pytest.mark.parametrize("on_error", ["refuse", "skip"])
async def test_a_product_whose_rows_lie_across_two_pieces_keeps_all_of_them(admin, monkeypatch, on_error):
    monkeypatch.setattr(imports, "AT_ONCE", 5)
    name = f"ACROSS-{on_error}"
    import_id = await begun(admin, rows(name, 7), on_error=on_error)

    await imports.run(import_id)

    done = await told(admin, import_id)
    assert (done["state"], done["rows_done"], done["articles_new"], await kept(name)) == ("done", 14, 14, 14)


async def test_one_mistake_in_a_large_table_and_nothing_of_it_is_written(admin):
    before = await everything()
    import_id = await begun(admin, rows("NONE", 7, wrong={5: "free", 12: "0"}))

    await imports.run(import_id)

    done = await told(admin, import_id)
    assert (done["state"], done["errors_total"]) == ("refused", 2)
    assert [(error["row"], error["field"]) for error in done["errors"]] == [(8, "price"), (11, "price")]
    assert await everything() == before
    errors = (await admin.get(f"{MALL}/imports/{import_id}/errors.csv")).text.removeprefix("\ufeff")
    assert [(row["row"], row["field"]) for row in csv.DictReader(io.StringIO(errors))] == [
        ("8", "price"),
        ("11", "price"),
    ]


async def test_what_is_right_of_a_large_table_is_written_where_that_is_asked_for(admin):
    table = rows("SOME", 7, wrong={5: "free"})
    table[0][2] = "none"
    table += [["SOME-X", "三", "goods", f"SOME-X-{c}", f"颜色:{c}", "", "5"] for c in "1234"]  # too many of one
    table += [["", "单", "goods", "SOME-1-R", "", "", "5"]]  # named twice
    import_id = await begun(admin, table, on_error="skip")

    await imports.run(import_id)

    done = await told(admin, import_id)
    assert (done["state"], done["rows"], done["rows_done"], done["rows_skipped"]) == ("done", 19, 19, 9)
    assert (done["products_new"], done["articles_new"], await kept("SOME")) == (5, 10, 10)
    assert {(error["row"], error["field"]) for error in done["errors"]} == {
        (2, "category"),
        (9, "category"),
        (11, "price"),
        (16, "product"),
        (20, "sku"),
    }


async def test_an_import_that_was_cut_short_goes_on_where_it_was(admin, monkeypatch):
    """The worker dies after the second piece, and once while it reads; what was written is not written again."""
    import_id = await begun(admin, rows("CUT", 7), on_error="skip")
    write, calls = tables.write_rows, []

    async def dying(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise asyncio.CancelledError
        return await write(*args, **kwargs)

    async def cut(*_):
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(imports, "_keep_flaws", cut)
        with pytest.raises(asyncio.CancelledError):
            await imports.run(import_id)
    read = await told(admin, import_id)
    monkeypatch.setattr(imports, "write_rows", dying)
    with pytest.raises(asyncio.CancelledError):
        await imports.run(import_id)
    half = await told(admin, import_id)
    written = await kept("CUT")

    await imports.run(import_id)

    done = await told(admin, import_id)
    assert (read["state"], read["rows_done"]) == ("reading", 0)
    assert (half["state"], half["rows"], half["rows_done"], written) == ("writing", 14, 8, 8)
    assert (done["state"], done["rows_done"], done["articles_new"], done["articles_changed"]) == ("done", 14, 14, 0)
    assert len(calls) == 5


async def test_progress_is_seen_while_all_of_it_waits_to_be_written(admin, monkeypatch):
    import_id = await begun(admin, rows("SEEN", 7))
    write, seen = tables.write_rows, []

    async def watched(*args, **kwargs):
        found = await told(admin, import_id)
        seen.append((found["state"], found["rows"], found["rows_done"], await kept("SEEN")))
        return await write(*args, **kwargs)

    monkeypatch.setattr(imports, "write_rows", watched)
    await imports.run(import_id)

    assert seen == [("writing", 14, done, 0) for done in (0, 4, 8, 12)]
    assert await kept("SEEN") == 14


async def test_a_file_that_is_sent_again_is_the_same_import(admin):
    data = as_csv(HEADING, *coded(rows("KEY", 1)))
    first, again = [await send(admin, data, key="the-key") for _ in range(2)]
    other = await send(admin, data + b"x", key="the-key")
    without = await admin.client.post(
        f"{MALL}/imports",
        content=data,
        headers={"authorization": f"Bearer {admin.access_token}", "content-type": "text/csv"},
    )

    assert first.json()["id"] == again.json()["id"]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (without.status_code, without.json()["code"]) == (400, "idempotency_key_required")
    listed = (await admin.get(f"{MALL}/imports")).json()["items"]
    assert [one["id"] for one in listed].count(first.json()["id"]) == 1


@pytest.mark.parametrize(
    ("data", "kind", "field"),
    [
        (b"", "csv", "sku"),
        (as_csv(HEADING), "csv", ""),
        (as_csv(["nothing"], ["1"]), "csv", "nothing"),
        (b"\xff\xfe\xff", "csv", ""),
        (b"no workbook", "xlsx", ""),
        (as_csv(HEADING, ["", "单", "goods", "B\0", "", "", "5"]), "csv", ""),
        (as_csv(HEADING, *[["", "单", "goods", f"B-{n}", "", "", "5"] for n in range(9)]), "csv", ""),
    ],
    ids=["empty", "no rows", "other heading", "no text", "no workbook", "NUL", "too long"],
)
async def test_what_is_no_table_is_refused_by_the_job(admin, monkeypatch, data, kind, field):
    monkeypatch.setattr(incoming, "MOST_IMPORT_ROWS", 8)
    before = await everything()
    import_id = (await send(admin, data, kind=kind, on_error="skip")).json()["id"]

    await imports.run(import_id)

    done = await told(admin, import_id)
    assert (done["state"], done["rows_done"]) == ("refused", 0)
    assert field in {error["field"] for error in done["errors"]}
    assert await everything() == before


async def test_a_workbook_is_a_large_table_too(admin):
    data = as_xlsx(HEADING, *coded(rows("BOOK", 3)))
    import_id = (await send(admin, data, kind="xlsx")).json()["id"]

    await imports.run(import_id)

    assert ((await told(admin, import_id))["state"], await kept("BOOK")) == ("done", 6)


async def test_imports_of_long_ago_are_forgotten(admin, monkeypatch):
    import_id = await begun(admin, rows("OLD", 1, wrong={0: "x"}))
    await imports.run(import_id)
    now = clock.now()

    first = await imports.forget_old()
    monkeypatch.setattr(clock, "now", lambda: now.replace(year=now.year + 1))
    await imports.forget_old()

    assert first == 0
    assert await db.fetchval("SELECT count(*) FROM mall_import WHERE id = $1", import_id) == 0
