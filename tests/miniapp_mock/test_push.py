"""Message push: signed, encrypted in safe mode; read here by wechatpy, another reading of the protocol."""

from __future__ import annotations

import json

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from miniapp_mock.simulator.push import PushCipher
from tests.miniapp_mock.merchant import MOUNT, Merchant, Receiver


def crypto(merchant: Merchant) -> WeChatCrypto:
    config = merchant.config
    return WeChatCrypto(config.push_token, config.encoding_aes_key, config.app_id)


async def test_a_plain_xml_push_is_signed(merchant: Merchant, receiver: Receiver):
    message = {"openid": "openid-amy", "content": "你好]]><x>", "mode": "plain"}

    answer = await merchant.http.post(f"{MOUNT}/push", json=message)

    assert answer.json() == {"status": 200, "body": "success", "encrypted": False, "reply": None}
    [(method, query, body)] = receiver.pushes
    assert method == "POST"
    assert query["openid"] == "openid-amy"
    assert "encrypt_type" not in query
    check_signature(merchant.config.push_token, query["signature"], query["timestamp"], query["nonce"])
    parsed = parse_message(body)
    assert (parsed.source, parsed.content, parsed.type) == ("openid-amy", "你好]]><x>", "text")


async def test_a_safe_xml_push_opens_for_wechatpy(merchant: Merchant, receiver: Receiver):
    await merchant.http.post(f"{MOUNT}/push", json={"openid": "openid-amy", "content": "余额"})

    [(_, query, body)] = receiver.pushes
    assert query["encrypt_type"] == "aes"
    plain = crypto(merchant).decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
    assert "<![CDATA[余额]]>" in plain


async def test_json_pushes_plain_and_safe_say_the_same(merchant: Merchant, receiver: Receiver):
    message = {"openid": "openid-amy", "content": "余额", "format": "json", "msg_id": 7}
    await merchant.http.post(f"{MOUNT}/push", json=message | {"mode": "plain"})
    await merchant.http.post(f"{MOUNT}/push", json=message)

    plain, safe = (json.loads(body) for _, _, body in receiver.pushes)
    config = merchant.config
    cipher = PushCipher(config.push_token, config.encoding_aes_key, config.app_id)
    inner = json.loads(cipher.decrypt(safe["Encrypt"]))
    assert plain.pop("CreateTime") <= inner.pop("CreateTime")
    assert inner == plain
    assert (plain["FromUserName"], plain["Content"], plain["MsgId"]) == ("openid-amy", "余额", 7)


async def test_an_event_carries_its_name(merchant: Merchant, receiver: Receiver):
    event = {"openid": "openid-amy", "msg_type": "event", "mode": "plain", "format": "json"}

    await merchant.http.post(f"{MOUNT}/push", json=event)

    sent = json.loads(receiver.pushes[0][2])
    assert (sent["MsgType"], sent["Event"]) == ("event", "user_enter_tempsession")
    assert "MsgId" not in sent


async def test_an_encrypted_reply_is_opened(merchant: Merchant, receiver: Receiver):
    reply = "<xml><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[您的余额]]></Content></xml>"
    receiver.push_answer = crypto(merchant).encrypt_message(reply, "nonce", "1700000000")

    answer = await merchant.http.post(f"{MOUNT}/push", json={"openid": "openid-amy", "content": "余额"})

    assert answer.json()["encrypted"] is True
    assert answer.json()["reply"] == {"MsgType": "text", "Content": "您的余额"}


async def test_a_reply_with_a_wrong_signature_is_reported(merchant: Merchant, receiver: Receiver):
    reply = crypto(merchant).encrypt_message("<xml></xml>", "nonce", "1700000000")
    receiver.push_answer = reply.replace("<Nonce><![CDATA[nonce]]>", "<Nonce><![CDATA[other]]>")

    answer = await merchant.http.post(f"{MOUNT}/push", json={"openid": "openid-amy", "content": "余额"})

    assert (answer.json()["reply"], answer.json()["problem"]) == (None, "wrong MsgSignature")


async def test_the_address_is_verified_by_an_echo(merchant: Merchant, receiver: Receiver):
    receiver.push_answer = ""

    right = await merchant.http.post(f"{MOUNT}/push/verify")
    receiver.push_answer = "something else"
    wrong = await merchant.http.post(f"{MOUNT}/push/verify")

    method, query, _ = receiver.pushes[0]
    check_signature(merchant.config.push_token, query["signature"], query["timestamp"], query["nonce"])
    assert method == "GET"
    assert right.json() == {"status": 200, "ok": True}
    assert wrong.json() == {"status": 200, "ok": False}


@pytest.mark.parametrize("text", ["", "x", "你好" * 500])
def test_what_is_encrypted_opens_again(text: str):
    cipher = PushCipher("t", "a" * 43, "wx1")

    assert cipher.decrypt(cipher.encrypt(text.encode())).decode() == text


def test_another_mini_programs_message_does_not_open():
    sealed = PushCipher("t", "a" * 43, "wx2").encrypt(b"x")

    with pytest.raises(ValueError, match="appid"):
        PushCipher("t", "a" * 43, "wx1").decrypt(sealed)


@pytest.mark.parametrize("sealed", ["", "????", "YWJj", "YWJj" * 8])
def test_what_is_no_message_does_not_open(sealed: str):
    with pytest.raises(ValueError, match=r".+"):
        PushCipher("t", "a" * 43, "wx1").decrypt(sealed)
