"""Where the demo's stores send to, and the orders of two members, at every step that an order can be at."""

from __future__ import annotations

from collections.abc import Mapping

from backend.auth.types import MemberCaller, Permission, Role, StaffCaller
from backend.kernel import db
from backend.kernel.http import Idempotency
from backend.ledger.plans import job_hash
from backend.members import queries as members
from backend.orders.commands import (
    addresses,
    after_sales,
    delivery_rules,
    place,
    quote,
    receipts,
    reviews,
    shipping,
    spots,
)
from backend.orders.queries.spots import list_spots
from backend.orders.schemas.after import PiecesIn
from backend.orders.schemas.delivery import AddressIn, DeliveryRuleIn
from backend.orders.schemas.orders import DeliveryIn, OrderLineIn, PayIn, PlaceIn, QuoteIn, StoreOrderIn
from backend.orders.schemas.requests import AfterSaleIn
from backend.orders.schemas.reviews import ReviewIn
from backend.orders.schemas.spots import SpotIn
from backend.orders.types import DeliveryKind
from backend.orders.types.after import AfterSaleKind
from backend.orders.types.spots import SpotKind

HEAD_OFFICE = 0
"""The staff id of what no person did."""

NEAR = ("31", "32", "33")
FAR = ("15", "54", "62", "63", "64", "65")
NOWHERE = ("71", "81", "82")

RULES = (
    DeliveryRuleIn(title="江浙沪", regions=NEAR, first_fen=600, further_fen=100, free_from_fen=9_900),
    DeliveryRuleIn(
        title="全国", regions_excluded=(*FAR, *NOWHERE), first_fen=1_000, further_fen=500, free_from_fen=19_900
    ),
    DeliveryRuleIn(title="西北、内蒙古、西藏", regions=FAR, first_fen=2_000, further_fen=1_500),
    DeliveryRuleIn(
        title="杭州同城", stores=("S003",), regions=("3301",), first_g=5_000, first_fen=400, free_from_fen=5_900
    ),
)
"""Of two that reach an address the one that names its region most closely counts; nothing is sent to some regions."""

STORE = "S001"
SHIRT, BAG, CUP = "301001", "302001", "303001"
TABLES = ("A1", "A2", "A3", "B1")

REVIEWS = ((5, "面料厚实，尺码准，洗过不变形。"), (4, "装得下一周的菜，肩带再宽一点就好了。"))
SHOPPERS = 2
"""Members who have ordered: the first at every step, the second something that is to be packed."""


async def load_rules() -> None:
    """Say where the stores send to, and at what price."""
    for rule in RULES:
        await delivery_rules.create(rule, HEAD_OFFICE)


async def load_spots() -> None:
    """Put a code on some tables of the store that sells, and at the shelf of one article."""
    admin = _staff(HEAD_OFFICE)
    for name in TABLES:
        await spots.create(SpotIn(store_id=STORE, kind=SpotKind.TABLE, name=name), admin)
    product_id = await db.fetchval("SELECT product_id FROM mall_article WHERE sku = $1", CUP)
    await spots.create(SpotIn(store_id=STORE, kind=SpotKind.SHELF, name="杯子货架", product_id=product_id), admin)


async def load_orders() -> None:
    """Let those two members who have most on their account buy.

    What waits for WeChat is opened there by the phone that asks how to pay it: the simulator does not run yet.
    """
    rows = await db.fetch(
        "SELECT member_id FROM ledger_account WHERE kind = 'stored' ORDER BY balance DESC, member_id LIMIT $1", SHOPPERS
    )
    first, second = (Shopper(row["member_id"]) for row in rows)
    admin = _staff(await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'"))
    await _be_everywhere(first, admin)
    await second.order("packed", {CUP: 1}, note="请装礼品袋")
    table = (await list_spots(STORE))[0]
    await second.order("at-table", {CUP: 1}, spot_code=spots.code_of(table), note="拿到窗边的桌子")


async def told() -> list[dict[str, str]]:
    """The members who were first to order, and the phones that whoever registers becomes them with."""
    rows = await db.fetch(
        "SELECT m.name, m.phone_sealed FROM member m JOIN"
        " (SELECT member_id, min(placed_at) AS at FROM orders_order GROUP BY member_id ORDER BY at, member_id LIMIT $1)"
        " AS first ON first.member_id = m.id ORDER BY first.at",
        SHOPPERS,
    )
    return [{"name": row["name"], "phone": members.open_phone(row["phone_sealed"])} for row in rows]


class Shopper:
    """A member who orders."""

    def __init__(self, member_id: int) -> None:
        self.id = member_id
        self.caller = MemberCaller(
            session_id=0, member_id=member_id, openid="", token_expires_at=0, rate_key="", rate_per_minute=0
        )

    async def order(
        self,
        name: str,
        pieces: Mapping[str, int],
        *,
        address_id: str | None = None,
        spot_code: str | None = None,
        tenders: list[PayIn] | None = None,
        note: str = "",
    ) -> str:
        """Place an order at the price of its quote; its id."""
        kind = DeliveryKind.EXPRESS if address_id else DeliveryKind.SPOT if spot_code else DeliveryKind.PICKUP
        delivery = DeliveryIn(kind=kind, address_id=address_id, spot_code=spot_code)
        lines = [OrderLineIn(sku=sku, qty=qty) for sku, qty in pieces.items()]
        wanted = QuoteIn(
            orders=[StoreOrderIn(store_id=STORE, lines=lines, delivery=delivery, note=note)], tenders=tenders
        )
        seen = await quote.quote(wanted, self.id)
        body = PlaceIn(orders=wanted.orders, tenders=tenders, payable_fen=seen.payable_fen)
        placed = await place.enter(body, self.id, self.key(name))
        return placed.value.checkout_id

    def key(self, name: str) -> Idempotency:
        """The key of a request of theirs."""
        return Idempotency(f"demo-{name}", bytes.fromhex(job_hash("demo", name, self.id)))


async def _be_everywhere(shopper: Shopper, admin: StaffCaller) -> None:
    """Received and reviewed, asked to be taken back, on its way, waiting in the store, waiting for money."""
    address_id = await _address(shopper)
    reviewed = await shopper.order("reviewed", {SHIRT: 1, BAG: 1}, address_id=address_id)
    await _send(reviewed, "SF1020304050607", admin)
    await receipts.receive(shopper.id, reviewed)
    for line_no, (stars, text) in enumerate(REVIEWS, 1):
        await reviews.review(reviewed, ReviewIn(line_no=line_no, stars=stars, text=text), shopper.id)

    returned = await shopper.order("returned", {CUP: 2}, address_id=address_id)
    await _send(returned, "SF1020304050614", admin)
    await receipts.receive(shopper.id, returned)
    wanted = AfterSaleIn(kind=AfterSaleKind.RETURN, lines=[PiecesIn(line_no=1, qty=1)], reason="杯盖有划痕")
    await after_sales.ask(returned, wanted, shopper.caller, shopper.key("after-sale"))

    await _send(await shopper.order("sent", {BAG: 2}, address_id=address_id), "YT8800123456789", admin, "YTO")

    waiting = await shopper.order("ready", {SHIRT: 1})
    await shipping.make_ready(waiting, admin)

    await shopper.order("unpaid", {CUP: 1}, tenders=[PayIn(type="stored", amount_fen=2_000), PayIn(type="wechat")])


async def _send(order_id: str, tracking_no: str, admin: StaffCaller, carrier: str = "SF") -> None:
    await shipping.send_parcel(order_id, carrier, tracking_no, None, admin)


async def _address(shopper: Shopper) -> str:
    row = await db.fetchrow("SELECT name, phone_sealed FROM member WHERE id = $1", shopper.id)
    assert row is not None
    body = AddressIn(
        name=row["name"],
        phone=members.open_phone(row["phone_sealed"]),
        region="320106",
        province="江苏省",
        city="南京市",
        district="鼓楼区",
        street="中山北路 100 号 3 幢 502 室",
    )
    return (await addresses.add(shopper.id, body)).id


def _staff(staff_id: int) -> StaffCaller:
    return StaffCaller(
        staff_id=staff_id,
        session_id=0,
        role=Role.ADMIN,
        store_id=None,
        permissions=frozenset(Permission),
        rate_key="",
        rate_per_minute=0,
    )
