"""What is held of a member here: orders, where they went, and what came after."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, MovingTable, Obstacle, Shown, Table, holds, kept, stripped

from . import leaving
from .addresses import IN_BOOK, ON_ORDER
from .commands.invoices import CONTEXT as INVOICE

SOLD = "what was sold, for how much: the shop's books and tax records"

# As many of the source's addresses as the target's book has room for, those used last first.
_ADDRESSES = """
WITH free AS (
    SELECT s, row_number() OVER (ORDER BY s) AS n FROM generate_series(1, 20) s
     WHERE NOT EXISTS (SELECT FROM orders_address o WHERE o.member_id = $2 AND o.slot = s)
), theirs AS (
    SELECT id, row_number() OVER (ORDER BY is_default DESC, updated_at DESC, id) AS n
      FROM orders_address WHERE member_id = $1
)
UPDATE orders_address a SET member_id = $2, slot = free.s,
       is_default = a.is_default AND NOT EXISTS (SELECT FROM orders_address o WHERE o.member_id = $2 AND o.is_default)
  FROM theirs JOIN free USING (n) WHERE a.member_id = $1 AND a.id = theirs.id"""
_ORDERS = """
SELECT id FROM orders_order WHERE member_id = $1
   AND state IN ('awaiting_payment', 'paid', 'shipped', 'ready_for_pickup') ORDER BY placed_at LIMIT 10"""
_REQUESTS = """
SELECT id FROM orders_after_sale WHERE member_id = $1
   AND state IN ('requested', 'approved', 'on_the_way', 'received') ORDER BY asked_at LIMIT 10"""


async def _join_addresses(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    await db.raw(tx).execute(_ADDRESSES, source_id, target_id)


async def _under_way(tx: Tx, source_id: int) -> list[Obstacle]:
    """Orders that are not paid or not delivered, and requests that are not decided to their end."""
    found = []
    for code, title, sql in (
        ("order_under_way", "有未付款或未完成交付的订单", _ORDERS),
        ("after_sale_under_way", "有未完成的售后申请", _REQUESTS),
    ):
        if rows := await db.fetch_in(tx, sql, source_id):
            found.append(Obstacle(code=code, title=title, ids=tuple(row["id"] for row in rows)))
    return found


HOLDING = holds(
    Holding(
        name="orders",
        title="商城订单",
        at_stake=leaving.at_stake,
        tables=(
            Table(
                "orders_cart_line",
                DELETED,
                Shown(
                    title="购物车",
                    columns={"store_id": "门店", "sku": "商品", "qty": "件数", "added_at": "加入时间"},
                    key=("store_id", "sku"),
                ),
            ),
            Table(
                "orders_address",
                DELETED,
                Shown(
                    title="收货地址",
                    columns={"province": "省", "city": "市", "district": "区", "sealed": "收货人与地址"},
                    key=("id",),
                    sealed={"sealed": IN_BOOK},
                ),
            ),
            Table(
                "orders_receiver",
                DELETED,
                Shown(
                    title="订单的收货人",
                    columns={
                        "order_id": "订单",
                        "province": "省",
                        "city": "市",
                        "district": "区",
                        "sealed": "收货人与地址",
                    },
                    key=("order_id",),
                    sealed={"sealed": ON_ORDER},
                ),
            ),
            Table(
                "orders_parcel",
                stripped("what was sent in which parcel", tracking_no="number::text"),
                Shown(
                    title="包裹",
                    columns={"order_id": "订单", "sent_at": "发货时间", "carrier": "快递", "tracking_no": "单号"},
                    key=("order_id", "number"),
                ),
            ),
            Table(
                "orders_after_sale_step",
                stripped("who decided what, and when", note="''"),
                Shown(
                    title="售后进度",
                    columns={"at": "时间", "after_sale_id": "售后单", "step": "步骤", "note": "说明"},
                    key=("after_sale_id", "number"),
                ),
            ),
            Table(
                "orders_after_sale",
                stripped(SOLD, reason="''", pictures="'[]'", tracking_no="NULL"),
                Shown(
                    title="售后",
                    columns={
                        "id": "编号",
                        "order_id": "订单",
                        "asked_at": "时间",
                        "kind": "种类",
                        "state": "状态",
                        "reason": "原因",
                        "agreed_fen": "金额（分）",
                    },
                    key=("id",),
                ),
            ),
            Table(
                "orders_review",
                stripped(
                    "stars count in a product's figures",
                    text="''",
                    pictures="'[]'",
                    reply="NULL",
                    anonymous="true",
                    shown="false",
                ),
                Shown(
                    title="商品评价",
                    columns={"at": "时间", "order_id": "订单", "product_id": "商品", "stars": "星级", "text": "内容"},
                    key=("order_id", "line_no"),
                ),
            ),
            Table(
                "orders_invoice",
                kept("an invoice is a tax record: its title and number stay, sealed"),
                Shown(
                    title="发票",
                    columns={
                        "asked_at": "时间",
                        "order_id": "订单",
                        "kind": "种类",
                        "sealed": "抬头",
                        "amount_fen": "金额（分）",
                        "number": "号码",
                        "state": "状态",
                    },
                    key=("order_id",),
                    sealed={"sealed": INVOICE},
                ),
            ),
            Table("orders_notice", kept(SOLD), unshown="whether WeChat was told of a parcel"),
            Table(
                "orders_fulfilment",
                kept(SOLD),
                Shown(
                    title="发货与收货",
                    columns={"order_id": "订单", "sent_at": "发货", "received_at": "收货", "done_at": "完成"},
                    key=("order_id",),
                ),
            ),
            Table(
                "orders_pickup",
                kept("that goods were handed over, and at which till"),
                Shown(
                    title="自提",
                    columns={"order_id": "订单", "store_id": "门店", "ready_at": "备好", "handed_at": "取走"},
                    key=("order_id",),
                ),
            ),
            Table(
                "orders_line",
                kept(SOLD),
                Shown(
                    title="订单商品",
                    columns={
                        "order_id": "订单",
                        "sku": "商品",
                        "name": "名称",
                        "spec": "规格",
                        "qty": "件数",
                        "payable_fen": "应付（分）",
                    },
                    key=("order_id", "line_no"),
                ),
            ),
            Table(
                "orders_change",
                stripped("who looked at an order, or handed it over, and when; not why", detail="detail - 'reason'"),
                unshown="staff's own log of an order; what became of it is listed",
                whose="order_id IN (SELECT id FROM orders_order WHERE member_id = $1)",
            ),
            Table(
                "orders_order",
                stripped(SOLD, note="''"),
                Shown(
                    title="订单",
                    columns={
                        "id": "编号",
                        "placed_at": "下单时间",
                        "store_id": "门店",
                        "state": "状态",
                        "delivery": "配送",
                        "payable_fen": "应付（分）",
                        "note": "备注",
                        "paid_at": "付款时间",
                        "ended_at": "结束时间",
                    },
                    key=("id",),
                ),
            ),
        ),
        moves=(MovingTable("orders_cart_line", key=("store_id", "sku")),),
        joined=("orders_address",),
        stays=(
            "orders_receiver",
            "orders_parcel",
            "orders_after_sale_step",
            "orders_after_sale",
            "orders_review",
            "orders_invoice",
            "orders_notice",
            "orders_fulfilment",
            "orders_pickup",
            "orders_line",
            "orders_change",
            "orders_order",
        ),
        merge=_join_addresses,
        obstacles=_under_way,
    )
)
