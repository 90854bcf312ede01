"""Login, access tokens, phone numbers and messages, as a mini-program's server meets them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from miniapp_mock.simulator import Simulator, SimulatorConfig, build
from tests.miniapp_mock.conftest import connect
from tests.miniapp_mock.merchant import MOUNT, Merchant

PHONE = "/wxa/business/getuserphonenumber"


async def login(merchant: Merchant, code: str, **changed: str) -> Any:
    config = merchant.config
    query = {
        "appid": config.app_id,
        "secret": config.app_secret,
        "js_code": code,
        "grant_type": "authorization_code",
    } | changed
    answer = await merchant.http.get(f"{MOUNT}/sns/jscode2session", params=query)
    assert answer.status_code == 200
    return answer.json()


async def stable(http: httpx.AsyncClient, config: SimulatorConfig, **changed: Any) -> Any:
    body = {"grant_type": "client_credential", "appid": config.app_id, "secret": config.app_secret} | changed
    return (await http.post(f"{MOUNT}/cgi-bin/stable_token", json=body)).json()


async def post(merchant: Merchant, path: str, body: Any) -> Any:
    token = (await stable(merchant.http, merchant.config))["access_token"]
    return (await merchant.http.post(MOUNT + path, params={"access_token": token}, json=body)).json()


async def test_a_demo_code_logs_in_as_its_openid_again_and_again(merchant: Merchant):
    first, second = await login(merchant, "demo-amy"), await login(merchant, "demo-amy")

    assert first["openid"] == second["openid"] == "openid-amy"
    assert first["session_key"] != second["session_key"]
    assert "errcode" not in first


async def test_an_issued_code_logs_in_once(merchant: Merchant):
    code = (await merchant.http.post(f"{MOUNT}/codes", json={"openid": "openid-bo"})).json()["code"]

    first, second = await login(merchant, code), await login(merchant, code)

    assert first["openid"] == "openid-bo"
    assert second["errcode"] == 40163


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"appid": "wx1"}, 40013),
        ({"secret": "no"}, 40125),
        ({"js_code": "nonsense"}, 40029),
        ({"js_code": ""}, 41008),
        ({"js_code": "\x00"}, 40029),
        ({"grant_type": "x"}, 40002),
    ],
)
async def test_refuses_a_login_with_wechats_error_code(merchant: Merchant, changed: dict[str, str], errcode: int):
    answer = await login(merchant, "demo-amy", **changed)

    assert answer["errcode"] == errcode
    assert "openid" not in answer


async def test_a_phone_code_yields_its_number(merchant: Merchant):
    answer = await post(merchant, PHONE, {"code": "phone-13800138000"})

    assert answer["errcode"] == 0
    assert answer["phone_info"]["purePhoneNumber"] == "13800138000"
    assert answer["phone_info"]["countryCode"] == "86"
    assert answer["phone_info"]["watermark"]["appid"] == merchant.config.app_id


async def test_an_issued_phone_code_works_once(merchant: Merchant):
    code = (await merchant.http.post(f"{MOUNT}/codes", json={"phone": "13900139000"})).json()["code"]

    first, second = await post(merchant, PHONE, {"code": code}), await post(merchant, PHONE, {"code": code})

    assert first["phone_info"]["phoneNumber"] == "13900139000"
    assert second["errcode"] == 40029


@pytest.mark.parametrize("code", ["phone-1380013800", "phone-138001380001", "demo-amy", "", None, 7])
async def test_refuses_other_phone_codes(merchant: Merchant, code: Any):
    assert (await post(merchant, PHONE, {"code": code}))["errcode"] == 40029


async def test_refuses_a_call_without_a_good_access_token(merchant: Merchant):
    missing = await merchant.http.post(MOUNT + PHONE, json={"code": "phone-13800138000"})
    wrong = await merchant.http.post(MOUNT + PHONE + "?access_token=x", json={"code": "phone-13800138000"})

    assert missing.json()["errcode"] == 41001
    assert wrong.json()["errcode"] == 40001


class Hands:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


async def test_a_stable_token_stays_until_its_last_five_minutes(simulator: Simulator, config: SimulatorConfig):
    hands = Hands()
    turned = build(replace(config, now=hands))
    async with connect(turned) as http:
        first = await stable(http, config)
        hands.at += timedelta(seconds=6800)
        same = await stable(http, config)
        hands.at += timedelta(seconds=150)
        renewed = await stable(http, config)
        hands.at += timedelta(seconds=299)
        overlapping = await http.post(f"{MOUNT}{PHONE}?access_token={first['access_token']}", json={"code": "x"})
        hands.at += timedelta(seconds=2)
        expired = await http.post(f"{MOUNT}{PHONE}?access_token={first['access_token']}", json={"code": "x"})
    await turned.aclose()

    assert first["expires_in"] == 7200
    assert same == {"access_token": first["access_token"], "expires_in": 400}
    assert renewed["access_token"] != first["access_token"]
    assert overlapping.json()["errcode"] == 40029
    assert expired.json()["errcode"] == 42001


async def test_a_forced_refresh_kills_the_token_before_it(simulator: Simulator, config: SimulatorConfig):
    hands = Hands()
    turned = build(replace(config, now=hands))
    async with connect(turned) as http:
        first = await stable(http, config)
        too_soon = await stable(http, config, force_refresh=True)
        hands.at += timedelta(seconds=31)
        forced = await stable(http, config, force_refresh=True)
        dead = await http.post(f"{MOUNT}{PHONE}?access_token={first['access_token']}", json={"code": "x"})
    await turned.aclose()

    assert too_soon["access_token"] == first["access_token"]
    assert forced["access_token"] != first["access_token"]
    assert dead.json()["errcode"] == 42001


async def test_plain_tokens_live_apart_from_stable_ones(merchant: Merchant):
    config = merchant.config
    query = {"grant_type": "client_credential", "appid": config.app_id, "secret": config.app_secret}

    kept = (await stable(merchant.http, config))["access_token"]
    plain = (await merchant.http.get(f"{MOUNT}/cgi-bin/token", params=query)).json()["access_token"]

    assert plain != kept
    assert (await stable(merchant.http, config))["access_token"] == kept


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"force_refresh": 1}', b"\xff", b"[" * 5000])
async def test_refuses_a_body_that_is_no_such_json(merchant: Merchant, body: bytes):
    answer = await merchant.http.post(f"{MOUNT}/cgi-bin/stable_token", content=body)

    assert answer.status_code == 200
    assert answer.json()["errcode"] == 47001


async def test_keeps_the_messages_sent_to_a_member_oldest_first(merchant: Merchant):
    text = {"touser": "openid-amy", "msgtype": "text", "text": {"content": "欢迎"}}
    subscribed = {"touser": "openid-amy", "template_id": "T1", "data": {"thing1": {"value": "到账"}}}
    other = {"touser": "openid-bo", "msgtype": "text", "text": {"content": "别人的"}}

    for openid in ("openid-amy", "openid-bo"):
        await merchant.http.post(f"{MOUNT}/customers/{openid}/messages", json={"text": "在吗"})

    accepted = {"openid": "openid-amy", "template_ids": ["T1"]}
    assert (await merchant.http.post(f"{MOUNT}/subscriptions", json=accepted)).status_code == 201

    answers = [
        await post(merchant, "/cgi-bin/message/custom/send", text),
        await post(merchant, "/cgi-bin/message/custom/send", other),
        await post(merchant, "/cgi-bin/message/subscribe/send", subscribed),
    ]
    again = await post(merchant, "/cgi-bin/message/subscribe/send", subscribed)
    items = (await merchant.http.get(f"{MOUNT}/sent", params={"openid": "openid-amy"})).json()["items"]

    assert [answer["errcode"] for answer in answers] == [0, 0, 0]
    assert again["errcode"] == 43101  # each acceptance is one message
    assert [item["kind"] for item in items] == ["custom", "subscribe"]
    assert items[0]["text"] == "欢迎"
    assert items[1]["message"] == subscribed


@pytest.mark.parametrize(
    ("path", "body", "errcode"),
    [
        ("custom", {"touser": "o", "msgtype": "voice", "voice": {}}, 40008),
        ("custom", {"touser": "o", "msgtype": "text", "text": {"content": ""}}, 44004),
        ("custom", {"touser": "o", "msgtype": "text", "text": {"content": "字" * 683}}, 45002),
        ("custom", {"touser": "", "msgtype": "text", "text": {"content": "x"}}, 40003),
        ("custom", {"touser": "o\x00", "msgtype": "text", "text": {"content": "x"}}, 47001),
        ("subscribe", {"touser": "o", "data": {"a": {"value": "1"}}}, 40037),
        ("subscribe", {"touser": "o", "template_id": "T", "data": {}}, 47003),
        ("subscribe", {"touser": "o", "template_id": "T", "data": {"a": "1"}}, 47003),
    ],
)
async def test_refuses_a_message_and_keeps_nothing(merchant: Merchant, path: str, body: Any, errcode: int):
    answer = await post(merchant, f"/cgi-bin/message/{path}/send", body)

    assert answer["errcode"] == errcode
    assert (await merchant.http.get(f"{MOUNT}/sent")).json() == {"items": []}


async def test_bounds_what_it_reads(merchant: Merchant):
    answer = await merchant.http.post(f"{MOUNT}/cgi-bin/stable_token", content=json.dumps("x" * 70_000))

    assert answer.status_code == 413
