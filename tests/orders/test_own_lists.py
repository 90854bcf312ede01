"""What a member finds again of what they said and asked for: reviews, invoices."""

from __future__ import annotations

import pytest

from tests.orders.test_after_sales import SENT
from tests.orders.test_fulfilment import buy
from tests.support.mall import put
from tests.support.members import Phone, register
from tests.support.staff import StaffSession
from tests.support.value import give

pytestmark = pytest.mark.usefixtures("books")

APPLE = "6902"


async def receive(phone: Phone, manager: StaffSession) -> str:
    """An order that the member has."""
    order_id = await buy(phone, 1, express=True)
    await manager.post(f"/v1/admin/orders/{order_id}/parcels", SENT)
    assert (await phone.call("POST", f"/v1/member/orders/{order_id}/receipt")).status_code == 200
    return order_id


async def test_a_member_lists_their_own_reviews_and_invoices_by_pages_and_nobody_elses(client, phone, manager):
    await give(phone.member_id, principal=50_000)
    await put("S1", APPLE, 10, 7_501)
    first, second = [await receive(phone, manager) for _ in range(2)]
    for order_id, title in ((first, "王小明"), (second, "某某公司")):
        await phone.call("POST", f"/v1/member/orders/{order_id}/reviews", {"line_no": 1, "stars": 5, "text": title})
        asked = await phone.call("PUT", f"/v1/member/orders/{order_id}/invoice", {"kind": "personal", "title": title})
        assert asked.status_code == 200, asked.text
    await manager.post(f"/v1/admin/reviews/{first}/1", {"shown": False, "reply": "谢谢"})
    other = await register(client)

    for path in ("/v1/member/reviews", "/v1/member/invoices"):
        newest = (await phone.call("GET", f"{path}?limit=1")).json()
        rest = (await phone.call("GET", f"{path}?limit=1&cursor={newest['next_cursor']}")).json()
        pages = [one["order_id"] for one in (*newest["items"], *rest["items"])]
        assert (pages, rest["next_cursor"]) == ([second, first], None), path
        assert (await other.call("GET", path)).json()["items"] == []

    (hidden,) = (await phone.call("GET", f"/v1/member/reviews?order_id={first}")).json()["items"]
    assert (hidden["name"], hidden["line_no"], hidden["shown"], hidden["reply"]) == ("苹果", 1, False, "谢谢")
    assert (await other.call("GET", f"/v1/member/reviews?order_id={first}")).json()["items"] == []
    (named,) = (await phone.call("GET", f"/v1/member/invoices?order_id={first}")).json()["items"]
    assert (named["order_id"], named["title"]) == (first, "王小明")
    assert (await other.call("GET", f"/v1/member/invoices?order_id={first}")).json()["items"] == []
    assert [one["title"] for one in (await phone.call("GET", "/v1/member/invoices")).json()["items"]] == [
        "某某公司",
        "王小明",
    ]
