"""What members say of what they received, and the invoices they ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio

from backend.kernel import db
from backend.orders.commands import invoices
from backend.orders.queries import afterwards
from backend.orders.views import after as views
from backend.sales.types import SaleBody, SaleProgress, Tender, TenderType
from tests.orders.test_after_sales import SENT, ask, step
from tests.orders.test_fulfilment import buy
from tests.support.books import fingerprint
from tests.support.mall import put
from tests.support.members import Phone, register
from tests.support.pictures import uploaded
from tests.support.races import outcomes
from tests.support.staff import StaffSession
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"
COMPANY = {"kind": "company", "title": "某某科技有限公司", "tax_no": "91110000MA0000000X", "email": "tax@example.com"}


@pytest_asyncio.fixture(loop_scope="session")
async def received(phone: Phone, manager: StaffSession) -> str:
    """Two apples that the member has."""
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    order_id = await buy(phone, 2, express=True)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT)
    assert (await phone.call("POST", f"/v1/member/orders/{order_id}/receipt")).status_code == 200
    return order_id


async def test_a_line_is_reviewed_once_and_staff_answer_or_hide_it(phone, manager, received):
    early = await buy(phone)
    said: dict[str, Any] = {"line_no": 1, "stars": 4, "text": "=很甜"}
    path, mall = f"/v1/member/orders/{received}/reviews", f"/v1/member/mall/products/P-{APPLE}/reviews?store_id=S1"

    answers = [
        await phone.call("POST", f"/v1/member/orders/{early}/reviews", said),
        await phone.call("POST", path, said),
        await phone.call("POST", path, said),
        await phone.call("POST", path, said | {"stars": 1}),
        await phone.call("POST", path, said | {"line_no": 2}),
        await phone.call("POST", path, said | {"stars": 6}),
    ]
    await manager.post(f"/v1/admin/reviews/{received}/1", {"reply": "谢谢"})
    items = (await phone.call("GET", mall)).json()["items"]
    review_id = views.review_id((await afterwards.list_reviews_of(phone.member_id, received))[0])
    (shown,) = [one for one in items if one["id"] == review_id]
    await manager.post(f"/v1/admin/reviews/{received}/1", {"shown": False})
    hidden = (await phone.call("GET", mall)).json()["items"]
    kept = (await manager.get("/v1/admin/reviews")).json()["items"]

    assert outcomes(answers) == {"review_unavailable": 3, 204: 2, "validation_failed": 1}
    assert (shown["stars"], shown["text"], shown["author"], shown["reply"]) == (4, "=很甜", "王**", "谢谢")
    assert received not in json.dumps(shown)
    assert review_id not in [one["id"] for one in hidden]
    assert review_id in [one["id"] for one in kept]


async def test_a_review_shows_pictures_that_its_member_uploaded_and_no_others(phone, client, manager, received):
    other = await register(client)
    mine, used, theirs = await uploaded(phone, "red"), await uploaded(phone, "green"), await uploaded(other, "blue")
    said: dict[str, Any] = {"line_no": 1, "stars": 5, "pictures": [mine, used]}
    path, mall = f"/v1/member/orders/{received}/reviews", f"/v1/member/mall/products/P-{APPLE}/reviews?store_id=S1"

    refused = [
        await phone.call("POST", path, said | {"pictures": pictures})
        for pictures in ([mine, theirs], ["0" * 64], [mine, mine], ["x"])
    ]
    nothing = await afterwards.list_reviews_of(phone.member_id, received)
    answers = [await phone.call("POST", path, said), await phone.call("POST", path, said)]
    elsewhere = await ask(phone, received, "return", pictures=[used])
    (shown,) = [one for one in (await other.call("GET", mall)).json()["items"] if one["stars"] == 5 and one["pictures"]]
    (kept,) = [one for one in (await manager.get("/v1/admin/reviews")).json()["items"] if one["pictures"]]

    assert outcomes(refused) == {"not_found": 2, "validation_failed": 2}
    assert (nothing, outcomes(answers)) == ([], {204: 2})
    assert outcomes([elsewhere]) == {"not_found": 1}
    assert [one["id"] for one in shown["pictures"]] == [one["id"] for one in kept["pictures"]] == [mine, used]
    assert {(await client.get(one["url"])).status_code for one in shown["pictures"]} == {200}


async def test_an_invoice_is_over_what_money_paid_and_lies_sealed(phone, manager, received):
    path = f"/v1/member/orders/{received}/invoice"
    request = (await ask(phone, received, "refund", fault="shop", amount_fen=300)).json()["id"]
    while_asked = await phone.call("PUT", path, COMPANY)
    await step(manager, request, "approve")
    without_number = await phone.call("PUT", path, {"kind": "company", "title": "x"})

    asked = await phone.call("PUT", path, COMPANY)
    corrected = await phone.call("PUT", path, COMPANY | {"title": "某某贸易有限公司"})
    (listed,) = [
        one for one in (await manager.get("/v1/admin/invoices")).json()["items"] if one["order_id"] == received
    ]
    rows = await db.fetch("SELECT row_to_json(i)::text AS text FROM orders_invoice i WHERE order_id = $1", received)
    issued, again = [
        await manager.post(f"/v1/admin/orders/{received}/invoice", {"status": "issued", "number": "0421"})
        for _ in range(2)
    ]
    other = await manager.post(f"/v1/admin/orders/{received}/invoice", {"status": "rejected"})
    late = await phone.call("PUT", path, COMPANY)

    assert outcomes([while_asked, other, late]) == {"invoice_unavailable": 3}
    assert without_number.json()["errors"][0]["pointer"] == "/tax_no"
    assert (asked.json()["amount_fen"], corrected.json()["title"]) == (2_200, "某某贸易有限公司")
    assert (listed["title"], listed["tax_no"]) == ("某某贸易有限公司", COMPANY["tax_no"])
    assert "某某" not in rows[0]["text"]
    assert COMPANY["tax_no"] not in rows[0]["text"]
    assert outcomes([issued, again]) == {204: 2}
    assert (await phone.call("GET", path)).json()["number"] == "0421"


@pytest.mark.parametrize("kind", TenderType)
def test_an_invoice_names_what_money_paid_and_no_other_tender(kind):
    """Coupons and points are discounts, and a gift card's invoice was its buyer's."""
    tenders = (Tender(kind, 700), Tender(TenderType.WECHAT, 300))
    body = SaleBody("", "", (), tenders, 1_000, 0, 1_000, 0, 10_000, {})
    is_money = kind not in ("coupon", "points", "gift_card")

    assert invoices.invoiced_fen(body, SaleProgress()) == (1_000 if is_money else 300)
    assert invoices.invoiced_fen(body, SaleProgress(tender_fen=(200, 100))) == (700 if is_money else 200)


async def test_another_store_s_manager_neither_hides_reviews_nor_decides_invoices(phone, stranger, received, settings):
    said = await phone.call("POST", f"/v1/member/orders/{received}/reviews", {"line_no": 1, "stars": 4})
    asked = await phone.call("PUT", f"/v1/member/orders/{received}/invoice", COMPANY)
    before = await fingerprint(settings)

    refused = [
        await stranger.post(f"/v1/admin/reviews/{received}/1", {"shown": False}),
        await stranger.post(f"/v1/admin/orders/{received}/invoice", {"status": "rejected"}),
    ]

    assert (said.status_code, asked.status_code, outcomes(refused)) == (204, 200, {"not_found": 2})
    assert await fingerprint(settings) == before


async def test_an_invoice_that_was_decided_is_decided_again_without_a_change(phone, manager, received, settings):
    assert (await phone.call("PUT", f"/v1/member/orders/{received}/invoice", COMPANY)).status_code == 200
    path = f"/v1/admin/orders/{received}/invoice"
    first = await manager.post(path, {"status": "rejected", "note": "税号有误"})
    before = await fingerprint(settings)

    again = await manager.post(path, {"status": "rejected", "note": "税号有误"})
    other = await manager.post(path, {"status": "issued", "number": "0421"})

    assert outcomes([first, again, other]) == {204: 2, "invoice_unavailable": 1}
    assert await fingerprint(settings) == before


async def test_an_invoice_that_is_asked_for_is_over_what_is_left_after_a_refund(phone, manager, received):
    path = f"/v1/member/orders/{received}/invoice"
    await phone.call("PUT", path, COMPANY)

    for number, left in ((1, (1_250, "requested")), (2, (1_250, "rejected"))):
        request = (await ask(phone, received, "refund", fault="shop")).json()["id"]
        paid = await step(manager, request, "approve")
        found = (await phone.call("GET", path)).json()
        assert (paid.status_code, (found["amount_fen"], found["status"])) == (200, left), number

    assert (await phone.call("PUT", path, COMPANY)).json()["code"] == "invoice_unavailable"
