"""What the simulated platform takes and refuses to hear of a paid order's goods."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.miniapp_mock.merchant import MOUNT, Merchant, Receiver
from tests.miniapp_mock.test_miniprogram import post

UPLOAD, STATE = "/wxa/sec/order/upload_shipping_info", "/wxa/sec/order/get_order"
PARCEL = {"tracking_no": "YT1", "express_company": "YTO", "item_desc": "茶*1"}


def told(merchant: Merchant, out_trade_no: str = "M100001", **changed: Any) -> dict[str, Any]:
    key = {"order_number_type": 1, "mchid": merchant.config.mch_id, "out_trade_no": out_trade_no}
    return {
        "order_key": key,
        "logistics_type": 1,
        "delivery_mode": 1,
        "shipping_list": [PARCEL],
        "upload_time": "2026-11-27T10:00:00.000+08:00",
        "payer": {"openid": "openid-amy"},
    } | changed


async def state(merchant: Merchant, out_trade_no: str = "M100001") -> Any:
    return await post(merchant, STATE, {"merchant_id": merchant.config.mch_id, "merchant_trade_no": out_trade_no})


async def paid(merchant: Merchant, out_trade_no: str = "M100001") -> None:
    await merchant.order(out_trade_no)
    await merchant.pay(out_trade_no)


async def test_a_shipment_is_told_once_and_corrected_once(merchant: Merchant):
    await paid(merchant)
    waiting = (await state(merchant))["order"]

    first = await post(merchant, UPLOAD, told(merchant))
    same = await post(merchant, UPLOAD, told(merchant))
    corrected = await post(merchant, UPLOAD, told(merchant, logistics_type=4, upload_time="2026-11-27T11:00:00+08:00"))
    again = await post(merchant, UPLOAD, told(merchant, upload_time="2026-11-27T12:00:00+08:00"))
    order = (await state(merchant))["order"]

    assert [answer["errcode"] for answer in (first, same, corrected, again)] == [0, 10060023, 0, 10060003]
    assert (waiting["order_state"], waiting["paid_amount"], waiting["openid"]) == (1, 500, "openid-amy")
    assert (order["order_state"], order["shipping"]["logistics_type"]) == (2, 4)
    assert order["shipping"]["finish_shipping_count"] == 2


async def test_split_parcels_add_up_until_all_are_told(merchant: Merchant):
    await paid(merchant)
    split: dict[str, Any] = {"delivery_mode": 2, "is_all_delivered": False}
    other = PARCEL | {"tracking_no": "SF2", "express_company": "SF", "contact": {"receiver_contact": "138****8000"}}

    await post(merchant, UPLOAD, told(merchant, **split))
    half = (await state(merchant))["order"]
    await post(
        merchant,
        UPLOAD,
        told(merchant, **split | {"is_all_delivered": True}, shipping_list=[other], upload_time="2026-11-27T11:00:00Z"),
    )
    whole = (await state(merchant))["order"]

    assert (half["order_state"], whole["order_state"]) == (1, 2)
    assert [parcel["tracking_no"] for parcel in whole["shipping"]["shipping_list"]] == ["YT1", "SF2"]


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"order_key": {"order_number_type": 1, "mchid": "other", "out_trade_no": "M100001"}}, 10060001),
        ({"order_key": {"order_number_type": 2, "transaction_id": "420"}}, 10060001),
        ({"payer": {"openid": "openid-bo"}}, 10060031),
        ({"logistics_type": 5}, 10060005),
        ({"delivery_mode": 2, "logistics_type": 4, "is_all_delivered": True}, 10060006),
        ({"delivery_mode": 2}, 10060007),
        ({"delivery_mode": 1, "shipping_list": [PARCEL, PARCEL]}, 10060014),
        ({"shipping_list": [PARCEL | {"item_desc": ""}]}, 10060008),
        ({"shipping_list": [PARCEL | {"item_desc": "字" * 121}]}, 10060009),
        ({"shipping_list": [PARCEL | {"tracking_no": ""}]}, 268485226),
        ({"shipping_list": [PARCEL | {"express_company": ""}]}, 268485227),
        ({"shipping_list": [PARCEL | {"express_company": "SF"}]}, 268485228),
        (
            {"shipping_list": [PARCEL | {"express_company": "SF", "contact": {"receiver_contact": "13800138000"}}]},
            268485228,
        ),
        ({"upload_time": "2026-11-27T10:00:00"}, 10060014),
        ({"upload_time": "yesterday"}, 47001),
    ],
)
async def test_refuses_what_wechat_refuses_and_keeps_nothing(merchant: Merchant, changed: Any, errcode: int):
    await paid(merchant)

    answer = await post(merchant, UPLOAD, told(merchant) | changed)

    assert answer["errcode"] == errcode
    assert (await state(merchant))["order"]["order_state"] == 1


async def test_an_order_unpaid_or_given_back_is_not_shipped(merchant: Merchant):
    await merchant.order("M100001")
    unpaid = await post(merchant, UPLOAD, told(merchant))
    await merchant.pay("M100001")
    await merchant.refund("M100001", "F1", 500)

    refunded = await post(merchant, UPLOAD, told(merchant))

    assert (unpaid["errcode"], refunded["errcode"]) == (10060001, 10060004)
    assert (await state(merchant))["order"]["order_state"] == 5


async def test_a_receipt_is_pushed_once_the_goods_have_left_and_says_how(merchant: Merchant, receiver: Receiver):
    await paid(merchant)
    path = f"{MOUNT}/shipping/M100001/receipt"
    plain = {"mode": "plain", "format": "json"}
    early = await merchant.http.post(path, json=plain)
    await post(merchant, UPLOAD, told(merchant))

    answers = [
        await merchant.http.post(path, json=plain | {"method": method}) for method in ("shipped", "manual", "auto")
    ]
    left, there, again = (json.loads(body) for _, _, body in receiver.pushes)

    assert (early.status_code, early.json()["code"]) == (409, "NOT_SHIPPED")
    assert [answer.json()["body"] for answer in answers] == ["success"] * 3
    assert (left["Event"], left["merchant_trade_no"]) == ("trade_manage_order_settlement", "M100001")
    assert "estimated_settlement_time" in left
    assert "confirm_receive_time" not in left
    assert (there["confirm_receive_method"], there["merchant_id"]) == (2, merchant.config.mch_id)
    assert there["confirm_receive_time"] == there["CreateTime"]
    assert again == there
    assert (await state(merchant))["order"]["order_state"] == 3
