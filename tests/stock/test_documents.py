"""进销存 through the calls of staff: what is ordered, received, sent back, sold, sent on and counted, and who may."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from io import BytesIO
from uuid import uuid4

import httpx
import openpyxl
import pytest
import pytest_asyncio
from PIL import Image

from backend.kernel import clock, db, outbox
from backend.stock import queries, service
from backend.stock.commands import alerts
from backend.stock.types import MovementKind, Piece, Receipt
from backend.worker import load
from tests.support.books import fingerprint
from tests.support.seed import Login, seed_chain
from tests.support.staff import StaffSession, log_in
from tests.support.value import findings

DOCUMENTS = "/v1/admin/stock/documents"
LIMIT = 1_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def staff(server) -> AsyncIterator[dict[str, StaffSession]]:
    """Two stores and a supplier; their managers, a clerk and two of head office, by name."""
    chain = await seed_chain(server.base_url)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            "INSERT INTO mall_supplier (code, name, contact, phone, note, active)"
            " VALUES ('SUP', '<b>华东</b>', '', '', '', true)"
        )
    async with httpx.AsyncClient(base_url=server.base_url, timeout=60, trust_env=False) as client:
        admin = await log_in(client, chain, "admin")
        for name, role, store_id in (("clerk-S1", "clerk", "S1"), ("admin2", "admin", None)):
            body = {"username": name, "password": "correct horse", "role": role, "store_id": store_id}
            made = await admin.post("/v1/admin/staff", {key: value for key, value in body.items() if value})
            assert made.status_code == 201, made.text
            chain.staff.append(Login(name, "correct horse", role, store_id))
        yield {login.username: await log_in(client, chain, login.username) for login in chain.staff}


@pytest_asyncio.fixture(scope="module", autouse=True, loop_scope="session")
async def _books_balance(settings, database):
    yield
    assert await findings(settings) == []


async def entered(by: StaffSession, kind: str, *lines: tuple[str, int, int], place: str = "S1", **more) -> dict:
    wanted = [{"sku": sku, "qty": qty, "unit_fen": fen} for sku, qty, fen in lines]
    body = {"kind": kind, "place_id": place, "lines": wanted} | more
    answer = await by.post(DOCUMENTS, body, key=uuid4().hex)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(by: StaffSession, document: dict, action: str, *, code: str | None = None, **more) -> dict:
    """Do it at the version that was seen; ``code`` is the refusal that is expected."""
    now = (await by.get(f"{DOCUMENTS}/{document['id']}")).json() if "version" not in more else {}
    body = {"action": action, "version": now.get("version"), "note": ""} | more
    answer = await by.post(f"{DOCUMENTS}/{document['id']}/actions", body)
    if code:
        assert answer.json()["code"] == code, answer.text
        assert answer.status_code in (403, 404, 409, 422)
    else:
        assert answer.status_code == 200, answer.text
    return answer.json()


async def posted(by: StaffSession, document: dict) -> dict:
    for action in ("submit", "approve"):
        await act(by, document, action)
    return await act(by, document, "post")


async def stocked(staff: dict[str, StaffSession], sku: str, qty: int, fen: int, place: str = "S1") -> None:
    await posted(staff["admin2"], await entered(staff["admin"], "receipt", (sku, qty, fen), place=place))


async def books(sku: str, place: str = "S1") -> tuple[int, int]:
    level = await queries.find_level(place, sku)
    return (level.on_hand, level.value_fen) if level else (0, 0)


async def test_an_order_is_approved_received_in_parts_and_owed(staff, settings):
    clerk, manager, admin = staff["clerk-S1"], staff["manager-S1"], staff["admin"]
    owed = (await admin.get("/v1/admin/stock/payables")).json()["items"]
    assert owed == []
    order = await entered(clerk, "purchase_order", ("6901", 10, 150), ("6902", 4, 800), supplier_id="SUP")
    year = clock.local_date(clock.now(), settings.timezone).year
    assert re.fullmatch(rf"PO-S1-{year}-\d{{6}}", order["number"])
    assert (order["state"], order["total_fen"]) == ("draft", 4700)
    before = await books("6901")

    await act(clerk, order, "submit")
    await act(clerk, order, "approve", code="forbidden")
    await act(manager, order, "approve")
    first = await act(manager, order, "receive", lines=[{"line_no": 1, "qty": 6}])
    await act(manager, order, "receive", lines=[{"line_no": 1, "qty": 5}], code="receipt_exceeds_order")
    await act(manager, order, "receive", lines=[{"line_no": 9, "qty": 1}], code="validation_failed")
    await act(manager, order, "receive", lines=[{"line_no": 1, "qty": 0}], code="validation_failed")
    assert first["state"] == "approved"
    assert await books("6901") == (before[0] + 6, before[1] + 900)
    await act(manager, order, "cancel", code="stock_document_conflict")
    done = await act(manager, order, "receive", lines=[{"line_no": 1, "qty": 4}, {"line_no": 2, "qty": 4}])
    await act(manager, order, "receive", lines=[{"line_no": 1, "qty": 1}], code="stock_document_conflict")

    assert (done["state"], [line["done_qty"] for line in done["lines"]]) == ("posted", [10, 4])
    earlier = (await manager.get(f"{DOCUMENTS}/{first['receipt_id']}")).json()["number"]
    receipt = (await manager.get(f"{DOCUMENTS}/{done['receipt_id']}")).json()
    assert receipt["number"] == f"GR-S1-{year}-{int(earlier[-6:]) + 1:06}"
    assert (receipt["about"], receipt["total_fen"]) == (order["id"], 3800)
    back = await entered(manager, "purchase_return", ("6902", 1, 700), supplier_id="SUP")
    await posted(manager, back)
    paid = {"supplier_id": "SUP", "amount_fen": 4000, "paid_on": f"{year}-11-27"}
    ids = {(await admin.post("/v1/admin/stock/payments", paid, key="p1")).json()["id"] for _ in range(2)}
    other = await admin.post("/v1/admin/stock/payments", paid | {"amount_fen": 4001}, key="p1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    (owed,) = (await admin.get("/v1/admin/stock/payables")).json()["items"]
    assert len(ids) == 1
    assert (owed["received_fen"], owed["returned_fen"], owed["paid_fen"], owed["owed_fen"]) == (4700, 700, 4000, 0)
    changes = (await manager.get(f"{DOCUMENTS}/{order['id']}/changes")).json()["items"]
    assert [change["action"] for change in changes] == ["enter", "submit", "approve", "receive", "receive"]


async def test_what_is_worth_more_is_approved_by_a_second_person_of_head_office(staff, settings):
    order = await entered(staff["admin"], "purchase_order", ("6903", 1, LIMIT + 1), supplier_id="SUP")
    await act(staff["admin"], order, "submit")
    before = await fingerprint(settings)

    await act(staff["manager-S1"], order, "approve", code="approval_refused")
    await act(staff["admin"], order, "approve", code="approval_refused")

    assert await fingerprint(settings) == before
    assert (await act(staff["admin2"], order, "approve"))["state"] == "approved"
    assert (await act(staff["admin"], order, "close", note="停产"))["state"] == "closed"

    other = await entered(staff["admin2"], "purchase_order", ("6903", 1, 1), supplier_id="SUP")
    lines = [{"sku": "6903", "qty": 1, "unit_fen": LIMIT + 1}]
    written = {"version": other["version"], "supplier_id": "SUP", "lines": lines}
    edited = await staff["admin"].call("PUT", f"{DOCUMENTS}/{other['id']}", written)
    assert edited.status_code == 200, edited.text
    await act(staff["admin"], other, "submit")
    await act(staff["admin"], other, "approve", code="approval_refused")
    await act(staff["admin"], other, "cancel", note="x")


@pytest.mark.parametrize(("kind", "more"), [("wholesale", {}), ("purchase_return", {"supplier_id": "SUP"})])
async def test_goods_given_away_for_nothing_are_worth_what_they_cost(staff, settings, kind, more):
    await stocked(staff, "6902", 2, 50 * LIMIT)
    slip = await entered(staff["manager-S1"], kind, ("6902", 2, 0), **more)
    await act(staff["manager-S1"], slip, "submit")
    before = await fingerprint(settings)

    await act(staff["manager-S1"], slip, "approve", code="approval_refused")

    assert await fingerprint(settings) == before
    assert (await act(staff["admin"], slip, "approve"))["state"] == "approved"
    assert (await act(staff["manager-S1"], slip, "post"))["state"] == "posted"


async def test_a_document_that_somebody_changed_is_read_again(staff):
    slip = await entered(staff["manager-S1"], "wholesale", ("6901", 1, 100), customer="张三")
    body = {"version": 1, "lines": [{"sku": "6902", "qty": 2, "unit_fen": 5}], "customer": "李四"}
    edited = await staff["clerk-S1"].call("PUT", f"{DOCUMENTS}/{slip['id']}", body)

    assert (edited.json()["total_fen"], edited.json()["customer"], edited.json()["version"]) == (10, "李四", 2)
    await act(staff["manager-S1"], slip, "submit", version=1, code="stale")
    await act(staff["manager-S1"], slip, "cancel")
    assert (await staff["clerk-S1"].call("PUT", f"{DOCUMENTS}/{slip['id']}", body | {"version": 3})).json()[
        "code"
    ] == "stock_document_conflict"


async def test_wholesale_takes_what_is_there_or_nothing(staff, settings):
    await stocked(staff, "6901", 3, 100)
    have, value = await books("6901")
    slip = await entered(staff["manager-S1"], "wholesale", ("6901", have + 1, 300), customer="团购")
    for action in ("submit", "approve"):
        await act(staff["manager-S1"], slip, action)
    before = await fingerprint(settings)

    refused = await act(staff["manager-S1"], slip, "post", code="out_of_stock")

    assert (refused["sku"], refused["available"]) == ("6901", have)
    assert await fingerprint(settings) == before
    await act(staff["manager-S1"], slip, "cancel")
    one = await posted(staff["manager-S1"], await entered(staff["manager-S1"], "wholesale", ("6901", 1, 300)))
    assert one["lines"][0]["cost_fen"] == value // have
    assert await books("6901") == (have - 1, value - value // have)


async def test_a_transfer_takes_its_cost_along_and_loses_what_does_not_come(staff):
    await stocked(staff, "6903", 4, 1001)
    have, value = await books("6903")
    there, worth = await books("6903", "S2")
    sent = await entered(staff["manager-S1"], "transfer", ("6903", 4, 0), other_place_id="S2")
    assert (await staff["manager-S2"].get(f"{DOCUMENTS}/{sent['id']}")).status_code == 200
    await act(staff["manager-S2"], sent, "ship", code="forbidden")

    shipped = await act(staff["manager-S1"], sent, "ship")
    cost = shipped["lines"][0]["cost_fen"]
    assert (cost, await books("6903")) == (value * 4 // have, (have - 4, value - value * 4 // have))
    await act(staff["manager-S1"], sent, "receive", lines=[{"line_no": 1, "qty": 3}], code="forbidden")
    await act(staff["manager-S2"], sent, "receive", lines=[{"line_no": 1, "qty": 5}], code="receipt_exceeds_order")
    await act(staff["manager-S2"], sent, "receive", code="validation_failed")  # nothing is lost by being left out
    got = await act(staff["manager-S2"], sent, "receive", lines=[{"line_no": 1, "qty": 3}])

    assert (got["state"], got["lines"][0]["done_qty"]) == ("posted", 3)
    assert await books("6903", "S2") == (there + 3, worth + cost * 3 // 4)
    await act(staff["manager-S2"], sent, "receive", lines=[{"line_no": 1, "qty": 1}], code="stock_document_conflict")


async def test_a_transfer_that_loses_much_waits_for_a_second_person(staff, settings):
    """What came is there at once; the loss is approved by somebody who neither sent nor received it."""
    await stocked(staff, "6903", 4, LIMIT * 5)
    had, value = await books("6903", "S2")
    sent = await entered(staff["manager-S1"], "transfer", ("6903", 4, 0), other_place_id="S2")
    cost = (await act(staff["admin2"], sent, "ship"))["lines"][0]["cost_fen"]
    came = await act(staff["manager-S2"], sent, "receive", lines=[{"line_no": 1, "qty": 1}])
    there = await books("6903", "S2")
    before = await fingerprint(settings)
    await act(staff["manager-S2"], sent, "receive", lines=[{"line_no": 1, "qty": 3}], code="stock_document_conflict")
    await act(staff["manager-S1"], sent, "approve", code="approval_refused")
    await act(staff["admin2"], sent, "approve", code="approval_refused")
    await act(staff["admin"], sent, "reject", note="x", code="stock_document_conflict")
    await act(staff["admin"], sent, "cancel", note="x", code="stock_document_conflict")
    assert await fingerprint(settings) == before

    done = await act(staff["admin"], sent, "approve")

    assert (came["state"], there) == ("submitted", (had + 1, value + cost // 4))
    assert (done["state"], done["approved_by"] is not None, done["posted_at"] is not None) == ("posted", True, True)
    assert await books("6903", "S2") == there

    await stocked(staff, "6903", 1, LIMIT * 50)
    gone = await entered(staff["manager-S1"], "transfer", ("6903", 1, 0), other_place_id="S2")
    await act(staff["manager-S1"], gone, "ship")
    lost = await act(staff["admin"], gone, "receive", lines=[{"line_no": 1, "qty": 0}])
    await act(staff["admin"], gone, "cancel", note="x", code="stock_document_conflict")
    await act(staff["admin"], gone, "approve", code="approval_refused")
    assert (lost["state"], (await act(staff["admin2"], gone, "approve"))["state"]) == ("submitted", "posted")


async def test_a_count_takes_what_moves_meanwhile_into_account(staff):
    """Ten by the books, twelve found; then two are sold by a document, and a till sells more than there is."""
    await stocked(staff, "6901", 10, 50, place="S2")
    manager = staff["manager-S2"]
    count = (await manager.post("/v1/admin/stock/stocktakes", {"place_id": "S2", "skus": ["6901"]})).json()
    other = await manager.post("/v1/admin/stock/stocktakes", {"place_id": "S2", "skus": ["6902"]})
    assert (other.status_code, other.json()["code"]) == (409, "stocktake_open")
    await act(manager, count, "submit", code="stocktake_not_counted")
    counts = f"{DOCUMENTS}/{count['id']}/counts"
    assert (await manager.post(counts, {"items": [{"sku": "nothing", "qty": 1}]})).status_code == 422
    await manager.post(counts, {"items": [{"sku": "6901", "qty": 12}, {"sku": "6902", "qty": 2}]})
    async with db.transaction() as tx:
        now = clock.now()
        pieces = [Piece("S2", "6901", 2)]
        await service.issue(tx, MovementKind.WHOLESALE, "W-1", pieces, at=now, staff_id=None)
        receipts = [Receipt("S2", "6901", 5, 100)]
        await service.receive(tx, MovementKind.RECEIPT, "R-1", receipts, at=now, staff_id=None)
        await service.post(tx, [service.Step(0, "sell", "S-1", "S2", "6901", 14, MovementKind.SALE)], at=now)
    short = (await manager.get("/v1/admin/stock/levels?place_id=S2&which=short")).json()["items"]
    assert [(level["sku"], level["short"], level["on_hand"]) for level in short] == [("6901", 1, 0)]

    done = await posted(manager, count)

    # 12 were found, 2 and 14 were sold, 5 came: one lies there, and nothing is short.
    assert await books("6901", "S2") == (1, 50)
    assert await books("6902", "S2") == (2, 0)
    assert done["total_fen"] == 100
    assert (await manager.get("/v1/admin/stock/levels?place_id=S2&which=short")).json()["items"] == []
    last = (await queries.list_movements("S2", "6901", limit=1))[0]
    assert (last.kind, last.qty, last.short, last.document_id) == ("stocktake", 1, -1, count["id"])


async def test_an_order_that_is_edited_keeps_a_supplier_who_is_owed(staff, settings):
    order = await entered(staff["clerk-S1"], "purchase_order", ("6901", 2, 5), supplier_id="SUP")
    before = await fingerprint(settings)
    anew = {"version": 1, "lines": [{"sku": "6901", "qty": 3, "unit_fen": 5}]}
    path = f"{DOCUMENTS}/{order['id']}"

    refused = await staff["clerk-S1"].call("PUT", path, anew)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/supplier_id")
    assert await fingerprint(settings) == before
    edited = await staff["clerk-S1"].call("PUT", path, anew | {"supplier_id": "SUP"})
    assert (edited.status_code, edited.json()["total_fen"]) == (200, 15)


async def test_a_count_that_finds_nothing_leaves_an_empty_shelf_that_is_proved(staff, settings):
    await stocked(staff, "6903", 3, 7, place="S2")
    manager = staff["manager-S2"]
    count = (await manager.post("/v1/admin/stock/stocktakes", {"place_id": "S2", "skus": ["6903"]})).json()
    await manager.post(f"{DOCUMENTS}/{count['id']}/counts", {"items": [{"sku": "6903", "qty": 0}]})

    done = await posted(staff["admin"], count)

    assert (done["state"], await books("6903", "S2")) == ("posted", (0, 0))
    assert await findings(settings) == []


async def test_a_count_of_what_no_shelf_can_hold_is_refused(staff, settings):
    """Somebody scanned a barcode where a number was asked for: worth more than any amount, and no error of ours."""
    await stocked(staff, "6901", 1, 100_000_000_000, place="S2")
    manager = staff["manager-S2"]
    count = (await manager.post("/v1/admin/stock/stocktakes", {"place_id": "S2", "skus": ["6901"]})).json()
    before = await fingerprint(settings)

    refused = await manager.post(
        f"{DOCUMENTS}/{count['id']}/counts", {"items": [{"sku": "6901", "qty": 1_000_000_000}]}
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    assert refused.json()["errors"][0]["pointer"] == "/items"
    assert await fingerprint(settings) == before
    await act(manager, count, "cancel", note="x")


async def test_a_document_is_entered_once_per_key_and_answered_as_it_stands(staff, settings):
    line = {"sku": "6901", "qty": 1, "unit_fen": 1}
    body = {"kind": "receipt", "place_id": "S1", "lines": [line]}
    key = "k" * 255
    first = await staff["clerk-S1"].post(DOCUMENTS, body, key=key)
    await act(staff["clerk-S1"], first.json(), "submit")
    before = await fingerprint(settings)

    again = await staff["clerk-S1"].post(DOCUMENTS, body, key=key)
    other = await staff["clerk-S1"].post(DOCUMENTS, body | {"lines": [line | {"qty": 2}]}, key=key)
    none = await staff["clerk-S1"].post(DOCUMENTS, body)

    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert (again.json()["id"], again.json()["state"]) == (first.json()["id"], "submitted")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (none.status_code, none.json()["code"]) == (400, "idempotency_key_required")
    assert await fingerprint(settings) == before
    assert (await staff["manager-S1"].post(DOCUMENTS, body, key=key)).json()["id"] != first.json()["id"]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_payment_of_no_day_of_ours_is_refused(staff, settings, day):
    before = await fingerprint(settings)

    body = {"supplier_id": "SUP", "amount_fen": 1, "paid_on": day}
    refused = await staff["admin"].post("/v1/admin/stock/payments", body, key=day)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/paid_on")
    assert await fingerprint(settings) == before


async def test_a_payment_is_written_down_once_however_long_its_key(staff):
    body = {"supplier_id": "SUP", "amount_fen": 1, "paid_on": "2026-11-27"}
    paid = [await staff["admin"].post("/v1/admin/stock/payments", body, key="p" * 255) for _ in range(2)]

    assert [answer.status_code for answer in paid] == [201, 201]
    assert paid[0].json() == paid[1].json()


async def test_papers_are_looked_at_and_bounded(staff, settings):
    document = await entered(staff["clerk-S1"], "receipt", ("6901", 1, 1))
    path = f"{DOCUMENTS}/{document['id']}/attachments"
    picture = BytesIO()
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    good = {"单.png": picture.getvalue(), "送货单.pdf": b"%PDF-1.7 ...%%EOF"}
    bad = [b"<script>alert(1)</script>", b"%PDF-1.7 cut", picture.getvalue()[:60], b"GIF89a"]

    async def attach(name: str, content: bytes, media_type: str = "image/png") -> httpx.Response:
        headers = {"Authorization": f"Bearer {staff['clerk-S1'].access_token}", "Content-Type": media_type}
        return await staff["clerk-S1"].client.post(path, params={"name": name}, content=content, headers=headers)

    for name, content in good.items():
        assert (await attach(name, content)).status_code == 201
    for content in bad:
        answer = await attach("x", content)
        assert (answer.status_code, answer.json()["code"]) == (422, "attachment_refused")
    assert (await attach("x", picture.getvalue(), "text/html")).status_code == 415
    assert (await attach("x", b"%PDF-1.7" + b" " * (2 << 20) + b"%%EOF")).status_code == 413

    items = (await staff["clerk-S1"].get(path)).json()["items"]
    assert [item["media_type"] for item in items] == ["image/png", "application/pdf"]
    kept = await staff["clerk-S1"].get(f"{path}/{items[0]['id']}")
    assert kept.content == picture.getvalue()
    assert kept.headers["content-disposition"].startswith("attachment")
    assert (await staff["manager-S2"].get(f"{path}/{items[0]['id']}")).status_code == 404
    codes = [(await attach("x", good["送货单.pdf"])).status_code for _ in range(9)]
    assert codes == [201] * 8 + [422]


async def test_a_printed_document_escapes_what_people_wrote(staff):
    order = await entered(
        staff["manager-S1"], "purchase_order", ("6902", 2, 150), supplier_id="SUP", note="<script>1</script>"
    )

    page = await staff["manager-S1"].get(f"{DOCUMENTS}/{order['id']}/print")

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "style-src 'sha256-" in page.headers["content-security-policy"]
    for text in (
        order["number"],
        "采购订单",
        "苹果",
        "1.50",
        "3.00",
        "&lt;b&gt;华东",
        "&lt;script&gt;1&lt;/script&gt;",
    ):
        assert text in page.text
    assert "<script" not in page.text


async def test_documents_are_found_by_day_kind_supplier_and_article_page_by_page(staff):
    made = [await entered(staff["clerk-S1"], "wholesale", ("6903", n + 1, 9)) for n in range(3)]
    numbers = [document["number"] for document in made]
    assert [int(number[-6:]) for number in numbers] == list(range(int(numbers[0][-6:]), int(numbers[0][-6:]) + 3))
    query = f"{DOCUMENTS}?kind=wholesale&sku=6903&state=draft&limit=2&from={made[0]['made_on']}&to={made[0]['made_on']}"

    first = (await staff["clerk-S1"].get(query)).json()
    rest = (await staff["clerk-S1"].get(f"{query}&cursor={first['next_cursor']}")).json()

    assert [one["number"] for one in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next_cursor"] is None
    assert (await staff["clerk-S1"].get(f"{query}&supplier_id=SUP")).json()["items"] == []
    assert (await staff["manager-S2"].get(query)).json()["items"] == []
    assert (await staff["manager-S2"].get(f"{query}&place_id=S1")).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "receipt", "lines": [{"sku": "none", "qty": 1}]}, "/lines/0/sku"),
        ({"kind": "receipt", "lines": [{"sku": "6901", "qty": 1}] * 2}, "/lines/1/sku"),
        ({"kind": "receipt", "lines": [{"sku": "6901", "qty": 1_000_000, "unit_fen": 10**8}]}, "/lines/0"),
        ({"kind": "purchase_order", "lines": [{"sku": "6901", "qty": 1}]}, "/supplier_id"),
        ({"kind": "purchase_order", "lines": [{"sku": "6901", "qty": 1}], "supplier_id": "NO"}, "/supplier_id"),
        ({"kind": "transfer", "lines": [{"sku": "6901", "qty": 1}]}, "/other_place_id"),
        ({"kind": "transfer", "lines": [{"sku": "6901", "qty": 1}], "other_place_id": "S1"}, "/other_place_id"),
        ({"kind": "wholesale", "lines": [{"sku": "6901", "qty": 1}], "other_place_id": "S2"}, "/other_place_id"),
    ],
)
async def test_what_cannot_be_entered_takes_no_number(staff, settings, body, pointer):
    before = await fingerprint(settings)

    answer = await staff["manager-S1"].post(DOCUMENTS, {"place_id": "S1"} | body, key="refused")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await fingerprint(settings) == before


async def test_what_falls_to_its_threshold_is_told_once_for_each_fall(staff):
    await stocked(staff, "6902", 5, 10)
    have, _ = await books("6902")
    body = {"place_id": "S1", "items": [{"sku": "6902", "low_qty": have - 1}, {"sku": "none", "low_qty": 1}]}
    answer = (await staff["manager-S1"].call("PUT", "/v1/admin/stock/thresholds", body)).json()
    assert answer == {"changed": 1, "unknown": ["none"]}
    await alerts.tell_low()
    told = []
    for qty, receives in ((1, False), (1, False), (5, True), (5, False)):
        async with db.transaction() as tx:
            document = f"L-{len(told)}"
            if receives:
                receipts = [Receipt("S1", "6902", qty, 1)]
                await service.receive(tx, MovementKind.RECEIPT, document, receipts, at=clock.now(), staff_id=None)
            else:
                pieces = [Piece("S1", "6902", qty)]
                await service.issue(tx, MovementKind.WHOLESALE, document, pieces, at=clock.now(), staff_id=None)
        told.append(await alerts.tell_low())

    assert told == [1, 0, 0, 1]
    assert await db.fetchval("SELECT count(*) FROM outbox WHERE name = 'StockRanLow'") == 2
    load()
    await outbox.drain()
    alerts_of = "/v1/admin/stock/alerts?kind=low"
    (alert,) = (await staff["clerk-S1"].get(f"{alerts_of}&place_id=S1")).json()["items"]
    assert (alert["sku"], alert["name"], alert["qty"], alert["low_qty"]) == ("6902", "苹果", have - 2, have - 1)
    assert (await staff["manager-S2"].get(alerts_of)).json()["items"] == []
    path = f"/v1/admin/stock/alerts/{alert['id']}/acknowledge"
    assert (await staff["manager-S2"].post(path, {"note": "no"})).status_code == 404
    first, again = [(await staff["clerk-S1"].post(path, {"note": note})).json() for note in ("已订货", "again")]
    assert (first["closed_by"] is not None, first["note"], again) == (True, "已订货", first)
    assert (await staff["clerk-S1"].get(alerts_of)).json()["items"] == []
    assert [one["id"] for one in (await staff["clerk-S1"].get(f"{alerts_of}&state=all")).json()["items"]] == [
        alert["id"]
    ]
    (low,) = (await staff["manager-S1"].get("/v1/admin/stock/levels?place_id=S1&which=low")).json()["items"]
    assert (low["sku"], low["on_hand"], low["low_qty"]) == ("6902", have - 2, have - 1)


async def test_levels_and_the_journal_are_pages_and_files(staff, settings):
    for sku in ("6901", "6903"):
        await stocked(staff, sku, 1, 7)
    today = clock.local_date(clock.now(), settings.timezone)
    journal = f"/v1/admin/stock/movements?place_id=S1&from={today}&to={today}"
    levels = "/v1/admin/stock/levels?place_id=S1"
    manager = staff["manager-S1"]

    for path, column in ((levels, "sku"), (journal, "document")):
        whole = (await manager.get(f"{path}&limit=100")).json()["items"]
        paged: list[dict] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await manager.get(f"{path}&limit=2{cursor and '&cursor=' + cursor}")).json()
            paged, cursor = paged + page["items"], page["next_cursor"]
        address, _, query = path.partition("?")
        rows = list(
            csv.DictReader(io.StringIO((await manager.get(f"{address}.csv?{query}")).text.removeprefix("\ufeff")))
        )
        sheet = openpyxl.load_workbook(BytesIO((await manager.get(f"{address}.xlsx?{query}")).content)).active
        cells = list(sheet.iter_rows(values_only=True))

        assert paged == whole
        assert [row[column] for row in rows] == [item[column] for item in whole]
        assert [dict(zip(cells[0], row, strict=True))[column] for row in cells[1:]] == [row[column] for row in rows]
        assert (await staff["manager-S2"].get(path)).status_code == 404
        assert (await staff["manager-S2"].get(f"{address}.csv?{query}")).status_code == 404


async def test_a_warehouse_is_a_place_of_its_store(staff):
    body = {"id": "WH1", "name": "一号仓", "store_id": "S1"}
    assert (await staff["manager-S1"].post("/v1/admin/stock/warehouses", body)).status_code == 403
    assert (await staff["admin"].post("/v1/admin/stock/warehouses", body)).status_code == 201
    assert (await staff["admin"].post("/v1/admin/stock/warehouses", body)).status_code == 422
    assert (await staff["admin"].post("/v1/admin/stock/warehouses", body | {"id": "S1"})).status_code == 422

    places = {
        name: [place["id"] for place in (await staff[name].get("/v1/admin/stock/places")).json()["items"]]
        for name in ("admin", "manager-S1", "clerk-S1", "manager-S2")
    }
    assert places == {
        "admin": ["S1", "S2", "WH1"],
        "manager-S1": ["S1", "WH1"],
        "clerk-S1": ["S1", "WH1"],
        "manager-S2": ["S2"],
    }
    await stocked(staff, "6901", 2, 5, place="WH1")
    assert await books("6901", "WH1") == (2, 10)
