"""Message push: both modes, both formats, and whatever is not WeChat's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.config import SettingsError
from backend.kernel.errors import DomainError
from backend.wechat.errors import CallbackRefused, CallbackUnverified
from backend.wechat.push import MAX_BODY_BYTES, Push, parse

from .platform import APP_ID, ENCODING_AES_KEY, NOW, PUSH_TOKEN, push_query, seal_push, seal_raw

MESSAGE = {
    "ToUserName": "gh_0123456789ab",
    "FromUserName": "openid-amy",
    "CreateTime": 1795435200,
    "MsgType": "text",
    "Content": "余额 <多少> & 何时",
    "MsgId": 23456789012345678,
}


def inbox() -> Push:
    return Push(PUSH_TOKEN, ENCODING_AES_KEY, APP_ID)


def xml(fields: dict[str, object]) -> bytes:
    return (
        "<xml>" + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items()) + "</xml>"
    ).encode()


FORMATS: dict[str, Callable[..., bytes]] = {"xml": xml, "json": msgspec.json.encode}


def sealed(plain: bytes, write) -> tuple[dict[str, str], bytes]:
    encrypted = seal_push(plain)
    return push_query(encrypted), write({"ToUserName": "gh_0123456789ab", "Encrypt": encrypted})


@pytest.mark.parametrize("mode", ["plain", "safe"])
@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_reads_a_text_message(mode, write):
    query, body = (push_query(), write(MESSAGE)) if mode == "plain" else sealed(write(MESSAGE), write)

    message = inbox().open(query, body, NOW)

    assert (message.openid, message.kind, message.content) == ("openid-amy", "text", "余额 <多少> & 何时")
    assert message.sent_at == datetime.fromtimestamp(1795435200, UTC)
    assert message.fields["MsgId"] == (23456789012345678 if write is msgspec.json.encode else "23456789012345678")
    assert repr(message) == "<PushMessage>"


def test_a_message_has_one_key_however_it_comes():
    keys = {
        inbox().open(push_query(nonce=nonce), write(MESSAGE), NOW).key
        for write in FORMATS.values()
        for nonce in ("1", "2")
    }

    assert len(keys) == 1
    assert inbox().open(push_query(), xml(MESSAGE | {"MsgId": 1}), NOW).key not in keys
    assert len(keys.pop()) == 64


def test_events_are_told_apart_by_sender_time_name_and_what_they_say():
    event = {**MESSAGE, "MsgType": "event", "Event": "user_enter_tempsession", "Content": ""}
    del event["MsgId"]

    def key(**changes: object) -> str:
        return inbox().open(push_query(), xml({**event, **changes}), NOW).key

    assert key() == key()
    assert len({key(), key(CreateTime=1795435201), key(FromUserName="openid-bo"), key(Event="other")}) == 4
    assert key(transaction_id="4201") != key(transaction_id="4202") != key()


def test_xml_with_cdata_and_repeated_elements():
    body = (
        b"<xml><FromUserName><![CDATA[o]]></FromUserName><CreateTime>1795435200</CreateTime><MsgType>event</MsgType>"
        b"<Event>e</Event><List><A>1</A></List><List><A>2</A></List></xml>"
    )

    message = inbox().open(push_query(), body, NOW)

    assert message.fields["List"] == [{"A": "1"}, {"A": "2"}]


def test_echoes_what_wechat_sent():
    assert inbox().echo(push_query() | {"echostr": "4375120948345356249"}, NOW) == "4375120948345356249"


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 40},
        {"signature": ""},
        {"signature": "é" * 40},
        {"signature": ["a", "b"]},
        {"timestamp": "1795435201"},
        {"timestamp": "x"},
        {"nonce": "other"},
        {"nonce": None},
        {"echostr": "<script>alert(1)</script> "},
        {"echostr": ""},
    ],
)
def test_refuses_to_echo_what_is_not_signed(changes):
    with pytest.raises(CallbackUnverified):
        inbox().echo(push_query() | {"echostr": "1"} | changes, NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_refuses_an_old_or_early_signature(seconds):
    with pytest.raises(CallbackUnverified):
        inbox().open(push_query(at=NOW + timedelta(seconds=seconds)), xml(MESSAGE), NOW)


def test_nothing_is_accepted_without_a_token():
    """Where no token is set, anybody can sign with the empty one."""
    query = push_query()
    signed_with_nothing = "".join(sorted((query["timestamp"], query["nonce"])))
    query["signature"] = hashlib.sha1(signed_with_nothing.encode()).hexdigest()

    with pytest.raises(CallbackUnverified):
        Push("", "", APP_ID).open(query, xml(MESSAGE), NOW)


def test_the_signature_is_checked_before_anything_is_parsed():
    with pytest.raises(CallbackUnverified):
        inbox().open(push_query() | {"signature": "0" * 40}, b"<" * 100, NOW)


def test_refuses_a_wrong_signature_over_the_ciphertext():
    query, body = sealed(xml(MESSAGE), xml)

    with pytest.raises(CallbackUnverified):
        inbox().open(query | {"msg_signature": "0" * 40}, body, NOW)


BAD_CIPHERTEXTS = {
    "nothing": "",
    "no base64": "not base64!",
    "no block": "AAAA",
    "zeros": seal_raw(b"\0" * 32),
    "padding above 32": seal_raw(b"\xff" * 32),
    "no length": seal_raw(b"x" * 20 + b"\x01" * 12),
    "length beyond the end": seal_raw(bytes(16) + b"\xff\xff\xff\xff" + b"\x01" * 12),
    "another app's": seal_push(xml(MESSAGE), app_id="wxffffffffffffffff"),
    "no text": seal_push(b"\xff\xfe not text"),
    "empty": seal_push(b""),
    "a list": seal_push(b"[1]"),
}


@pytest.mark.parametrize("encrypted", BAD_CIPHERTEXTS.values(), ids=BAD_CIPHERTEXTS.keys())
def test_a_signed_but_bad_ciphertext_is_refused(encrypted):
    for write in FORMATS.values():
        with pytest.raises((CallbackRefused, CallbackUnverified)):
            inbox().open(push_query(encrypted), write({"Encrypt": encrypted}), NOW)


def test_encrypted_pushes_are_refused_without_a_key():
    query, body = sealed(xml(MESSAGE), xml)

    with pytest.raises(CallbackRefused):
        Push(PUSH_TOKEN, "", APP_ID).open(query, body, NOW)


@pytest.mark.parametrize("key", ["short", "x" * 44, "é" * 43, "=" * 43])
def test_a_wrong_encoding_aes_key_stops_the_start(key):
    with pytest.raises(SettingsError):
        Push(PUSH_TOKEN, key, APP_ID)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain",
        b"null",
        b"[]",
        b"<xml>",
        b"<xml/>",
        b"<xml>text</xml>",
        b"<a>" * 20_000 + b"</a>" * 20_000,
        b"[" * 30_000,
        b'{"a":' * 9 + b"1" + b"}" * 9,
        b"<xml>" + b"<a/>" * 2000 + b"</xml>",
        b'{"a":[' + b"1," * 2000 + b"1]}",
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><FromUserName>&a;</FromUserName></xml>',
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><A>1</A></xml>',
        b'<?xml version="1.0" encoding="UTF-16"?><xml><A>\xff\xfe</A></xml>',
        b"<xml><A>&undefined;</A></xml>",
        b'{"FromUserName":"a\\u0000b","MsgType":"text","CreateTime":1}',
        b'{"FromUserName":"a","MsgType":"text","CreateTime":1,"Content":"\\ud800"}',
        b'{"FromUserName":"a","MsgType":"text","CreateTime":99999999999999}',
        b'{"FromUserName":"a","MsgType":"text","CreateTime":999999999999}',
        b'{"FromUserName":"a","MsgType":"text","CreateTime":true}',
        b'{"FromUserName":["a"],"MsgType":"text","CreateTime":1}',
        b'{"MsgType":"text","CreateTime":1}',
        b" " * (MAX_BODY_BYTES + 1),
    ],
)
def test_refuses_what_is_no_message(body):
    with pytest.raises(CallbackRefused):
        inbox().open(push_query(), body, NOW)


@settings(max_examples=300, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=300),
        st.text(alphabet="<>/xml &;![]CDATA\"'{}:,0", max_size=200).map(str.encode),
        st.text(alphabet="<>/xml &;![]CDATA\"'{}:,0", max_size=200).map(lambda text: f"<xml>{text}</xml>".encode()),
    ),
    encrypt_type=st.sampled_from(["raw", "aes", "?", None]),
)
def test_garbage_raises_nothing_but_refusals(body, encrypt_type):
    with pytest.raises(DomainError):
        inbox().open(push_query("x") | {"encrypt_type": encrypt_type}, body, NOW)


@settings(max_examples=150, deadline=None)
@given(plain=st.binary(max_size=200))
def test_sealed_garbage_raises_nothing_but_refusals(plain):
    query, body = sealed(plain, msgspec.json.encode)

    with pytest.raises(DomainError):
        inbox().open(query, body, NOW)


def test_numbers_and_texts_are_kept_as_they_came():
    assert parse(b'{"a":1,"b":"1"}') == {"a": 1, "b": "1"}
    assert parse(b" <xml><a> 1 </a><b/></xml>") == {"a": " 1 ", "b": ""}
