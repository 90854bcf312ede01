"""What WeChat's shipping service is sent, and how its answers are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from backend.kernel.vault import Vault
from backend.wechat import shipping
from backend.wechat.errors import (
    CallbackRefused,
    ShippingOrderUnknown,
    ShippingRefused,
    ShippingToldAlready,
    WechatBusy,
    WechatMisconfigured,
)
from backend.wechat.miniprogram import MiniProgram
from backend.wechat.transport import Transport
from backend.wechat.types import Logistics, Parcel, PushMessage, Receipt

from .scripted import scripted
from .test_miniprogram import MASTER_KEYS, Weixin

AT = datetime(2026, 11, 27, 2, 5, 6, 789_000, UTC)
TEA = Parcel(item_desc="茶*1", tracking_no="YT1", carrier="YTO", receiver_phone="13800138000")


def told(*parcels: Parcel, logistics: Logistics = Logistics.EXPRESS) -> dict:
    return shipping.document(
        mch_id="19", out_trade_no="M1", openid="openid-amy", logistics=logistics, parcels=parcels, at=AT
    )


def test_one_parcel_goes_whole_several_in_parts():
    sf = msgspec.structs.replace(TEA, carrier="SF", item_desc="字" * 130)

    one, two = told(TEA), told(TEA, sf)

    assert one == {
        "order_key": {"order_number_type": 1, "mchid": "19", "out_trade_no": "M1"},
        "logistics_type": 1,
        "delivery_mode": 1,
        "shipping_list": [{"item_desc": "茶*1", "tracking_no": "YT1", "express_company": "YTO"}],
        "upload_time": "2026-11-27T10:05:06.789+08:00",
        "payer": {"openid": "openid-amy"},
    }
    assert (two["delivery_mode"], two["is_all_delivered"]) == (2, True)
    assert two["shipping_list"][1]["contact"] == {"receiver_contact": "138****8000"}
    assert len(two["shipping_list"][1]["item_desc"]) == 120


def test_a_pick_up_has_neither_number_nor_carrier():
    assert told(TEA, logistics=Logistics.SELF_PICKUP)["shipping_list"] == [{"item_desc": "茶*1"}]
    for parcels in ((), (TEA,) * 11):
        with pytest.raises(ValueError, match="parcel"):
            told(*parcels)
    with pytest.raises(ValueError, match="parcel"):
        told(TEA, TEA, logistics=Logistics.SELF_PICKUP)


@pytest.mark.parametrize(
    ("phone", "shown"), [("13800138000", "138****8000"), ("021-6789 1234", "021****1234"), ("1234", ""), ("", "")]
)
def test_a_number_is_masked_but_for_its_end(phone, shown):
    assert shipping.masked(phone) == shown


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server():
    async with scripted() as script:
        yield script


@pytest.mark.parametrize(
    ("errcode", "raised"),
    [
        (10060001, ShippingOrderUnknown),
        (10060002, ShippingToldAlready),
        (10060003, ShippingToldAlready),
        (10060023, ShippingToldAlready),
        (10060031, ShippingRefused),
        (48001, WechatMisconfigured),
        (-1, WechatBusy),
    ],
)
async def test_answers_are_told_apart_and_a_refused_token_is_renewed_once(server, errcode, raised):
    weixin = Weixin()
    weixin.tokens, weixin.bad_tokens, weixin.answer = ["T1", "T2"], {"T1"}, {"errcode": errcode, "errmsg": "x"}
    server.will(weixin)
    transport = Transport()
    mini = MiniProgram(transport, server.base_url, f"wx-{errcode}", "secret", Vault(MASTER_KEYS))

    with pytest.raises(raised) as caught:
        await mini.upload_shipping(told(TEA))
    weixin.answer = {"errcode": 0, "order": {"order_state": 2, "shipping": {"finish_shipping": True}}}
    state = await mini.shipping_state("19", "M1")
    await transport.aclose()

    assert type(caught.value) is raised
    assert [call.target.partition("?")[0] for call in weixin.calls] == [shipping.UPLOAD_PATH] * 2 + [
        shipping.STATE_PATH
    ]
    assert (state.order_state, state.finished) == (2, True)


EVENT = {
    "transaction_id": "42001",
    "merchant_id": "19",
    "merchant_trade_no": "M100001",
    "confirm_receive_method": 2,
    "confirm_receive_time": 1795435200,
    "settlement_time": 1795435200,
}


def pushed(
    *, event: str = shipping.SETTLEMENT_EVENT, kind: str = "event", sealed: bool = True, **fields: Any
) -> PushMessage:
    return PushMessage(
        key="k", openid="o", kind=kind, event=event, content="", sent_at=AT, fields=EVENT | fields, sealed=sealed
    )


def test_a_receipt_is_read_from_json_s_numbers_and_xml_s_texts():
    as_text: dict[str, Any] = {name: str(value) for name, value in EVENT.items()}

    told = pushed(), pushed(**as_text), pushed(event="Trade_Manage_Order_Settlement")
    found = [shipping.receipt_of(one, "19") for one in told]
    by_clock = shipping.receipt_of(pushed(confirm_receive_method=1, sealed=False), "19")

    at = datetime.fromtimestamp(1795435200, UTC)
    assert found == [Receipt(out_trade_no="M100001", received_at=at, by_hand=True, sealed=True)] * 3
    assert by_clock == Receipt(out_trade_no="M100001", received_at=at, by_hand=False, sealed=False)


@pytest.mark.parametrize(
    "message",
    [
        pushed(kind="text"),
        pushed(event="trade_manage_remind_shipping"),
        pushed(merchant_id="20"),
        pushed(confirm_receive_time=""),
        pushed(confirm_receive_time=0),
    ],
)
def test_what_is_no_receipt_of_ours_is_passed_over(message):
    assert shipping.receipt_of(message, "19") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"confirm_receive_time": "soon"},
        {"confirm_receive_time": "9" * 20},
        {"merchant_trade_no": ""},
        {"merchant_trade_no": "M1; DROP TABLE"},
        {"merchant_trade_no": {"a": 1}},
    ],
)
def test_a_receipt_that_says_nothing_is_refused(fields):
    with pytest.raises(CallbackRefused):
        shipping.receipt_of(pushed(**fields), "19")
