"""What is held of a member here: orders, where they went, and what came after."""

from __future__ import annotations

from backend.members.holding import DELETED, Holding, Shown, Table, holds, kept, stripped

from .addresses import IN_BOOK, ON_ORDER
from .commands.invoices import CONTEXT as INVOICE

SOLD = "what was sold, for how much: the shop's books and tax records"

HOLDING = holds(
    Holding(
        name="orders",
        title="商城订单",
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
    )
)
