"""Calls to the mini-program API against a server that answers as WeChat does; the token's life in particular."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import clock, config, redis
from backend.kernel.vault import Vault
from backend.wechat import miniprogram
from backend.wechat.errors import (
    JsCodeInvalid,
    LoginBlocked,
    MediaGone,
    MessageRefused,
    PhoneCodeInvalid,
    WechatMisconfigured,
    WechatUnavailable,
)
from backend.wechat.miniprogram import MiniProgram
from backend.wechat.transport import Transport

from .scripted import Received, Scripted, answer, scripted

MASTER_KEYS = "k1:" + "A" * 43
SECRET = "the-app-secret"


class Weixin:
    """Answers token calls with one token after the other, and the rest with what a test says."""

    def __init__(self) -> None:
        self.tokens: list[str] = ["T1"]
        self.given: list[dict[str, object]] = []
        self.bad_tokens: set[str] = set()
        self.answer: object = {"errcode": 0, "errmsg": "ok"}
        self.calls: list[Received] = []

    def __call__(self, request: Received) -> bytes:
        if request.target == "/cgi-bin/stable_token":
            self.given.append(msgspec.json.decode(request.body))
            token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
            return answer(200, {"access_token": token, "expires_in": 7200})
        self.calls.append(request)
        if request.target.partition("access_token=")[2] in self.bad_tokens:
            return answer(200, {"errcode": 40001, "errmsg": "invalid credential"})
        return answer(200, self.answer)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server():
    async with scripted() as script:
        yield script


@pytest.fixture
def weixin(server: Scripted) -> Weixin:
    made = Weixin()
    server.will(made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def mini(server: Scripted):
    transport = Transport()
    yield MiniProgram(transport, server.base_url, "wx1", SECRET, Vault(MASTER_KEYS))
    await transport.aclose()
    clock.reset()


async def test_a_login_code_becomes_a_session(mini: MiniProgram, weixin: Weixin):
    weixin.answer = {"openid": "openid-amy", "session_key": "HyVFkGl5F5OQWJZZaNzBBg==", "unionid": ""}

    session = await mini.code2session("a&b=c")

    assert (session.openid, session.unionid) == ("openid-amy", None)
    assert weixin.calls[0].target == (
        f"/sns/jscode2session?appid=wx1&secret={SECRET}&js_code=a%26b%3Dc&grant_type=authorization_code"
    )
    assert weixin.given == []


@pytest.mark.parametrize(
    ("errcode", "error"),
    [
        (40029, JsCodeInvalid),
        (40163, JsCodeInvalid),
        (40226, LoginBlocked),
        (40125, WechatMisconfigured),
        (40013, WechatMisconfigured),
        (45011, WechatUnavailable),
        (-1, WechatUnavailable),
        (99999, WechatUnavailable),
    ],
)
async def test_a_login_that_wechat_refuses(mini: MiniProgram, weixin: Weixin, errcode, error):
    weixin.answer = {"errcode": errcode, "errmsg": "no"}

    with pytest.raises(error):
        await mini.code2session("x")

    assert len(weixin.calls) == 1


@pytest.mark.parametrize(
    "broken", [{}, {"openid": "o"}, [], "x", {"openid": 1, "session_key": "k"}, b"<html>", b"[" * 9000]
)
async def test_a_login_answer_without_sense(mini: MiniProgram, weixin: Weixin, broken):
    weixin.answer = broken

    with pytest.raises(WechatUnavailable):
        await mini.code2session("x")


@pytest.mark.parametrize(("country", "number"), [("86", "13800138000"), (86, "13800138000"), ("852", "+85291234567")])
async def test_a_phone_code_becomes_a_number(mini: MiniProgram, weixin: Weixin, country, number):
    pure = number.removeprefix("+852")
    weixin.answer = {"errcode": 0, "phone_info": {"purePhoneNumber": pure, "countryCode": country, "phoneNumber": "?"}}

    assert await mini.phone_number("p1") == number
    assert weixin.calls[0].target == "/wxa/business/getuserphonenumber?access_token=T1"
    assert msgspec.json.decode(weixin.calls[0].body) == {"code": "p1"}


async def test_a_phone_code_that_wechat_refuses(mini: MiniProgram, weixin: Weixin):
    weixin.answer = {"errcode": 40029, "errmsg": "invalid code"}

    with pytest.raises(PhoneCodeInvalid):
        await mini.phone_number("p1")


async def test_one_token_serves_many_calls(mini: MiniProgram, weixin: Weixin):
    await asyncio.gather(*(mini.send_custom_message("o", "你好") for _ in range(10)))

    assert len(weixin.given) == 1
    assert weixin.given[0] == {"grant_type": "client_credential", "appid": "wx1", "secret": SECRET}
    assert msgspec.json.decode(weixin.calls[0].body) == {
        "touser": "o",
        "msgtype": "text",
        "text": {"content": "你好"},
    }


async def test_a_token_is_asked_for_again_before_it_ends(mini: MiniProgram, weixin: Weixin, clock):
    weixin.tokens = ["T1", "T2"]
    await mini.send_custom_message("o", "1")

    clock.freeze(clock.now().replace(microsecond=0))
    clock.shift(timedelta(seconds=6850))
    await mini.send_custom_message("o", "2")
    clock.shift(timedelta(seconds=60))
    await mini.send_custom_message("o", "3")

    assert [call.target[-2:] for call in weixin.calls] == ["T1", "T1", "T2"]


async def test_a_refused_token_is_replaced_once_and_the_call_repeated(mini: MiniProgram, weixin: Weixin):
    weixin.tokens, weixin.bad_tokens = ["T1", "T2"], {"T1"}

    await mini.send_custom_message("o", "x")

    assert [call.target[-2:] for call in weixin.calls] == ["T1", "T2"]
    assert all("force_refresh" not in given for given in weixin.given)


async def test_a_token_that_wechat_both_holds_and_refuses_is_forced_out(mini: MiniProgram, weixin: Weixin):
    weixin.tokens, weixin.bad_tokens = ["T1", "T1", "T2"], {"T1"}

    await mini.send_custom_message("o", "x")

    assert [given.get("force_refresh", False) for given in weixin.given] == [False, False, True]


async def test_a_persistent_refusal_ends_after_the_second_call(mini: MiniProgram, weixin: Weixin):
    weixin.tokens, weixin.bad_tokens = ["T1", "T2", "T3"], {"T1", "T2", "T3"}

    with pytest.raises(WechatUnavailable):
        await mini.send_custom_message("o", "x")

    assert len(weixin.calls) == 2
    assert len(weixin.given) == 2


async def test_many_calls_that_stay_refused_ask_for_one_new_token_and_end(mini: MiniProgram, weixin: Weixin):
    await mini.send_custom_message("o", "x")
    weixin.tokens, weixin.bad_tokens = ["T2", "T3"], {"T1", "T2", "T3"}
    weixin.calls.clear()

    ended = await asyncio.gather(*(mini.send_custom_message("o", "y") for _ in range(8)), return_exceptions=True)

    assert [isinstance(error, WechatUnavailable) for error in ended] == [True] * 8
    assert sorted(call.target[-2:] for call in weixin.calls) == ["T1"] * 8 + ["T2"] * 8
    assert len(weixin.given) == 2


async def test_many_calls_with_a_dead_token_ask_for_one_new(mini: MiniProgram, weixin: Weixin):
    await mini.send_custom_message("o", "x")
    weixin.tokens, weixin.bad_tokens = ["T2"], {"T1"}

    await asyncio.gather(*(mini.send_custom_message("o", "y") for _ in range(8)))

    assert len(weixin.given) == 2


@pytest.mark.parametrize(
    ("errcode", "reason"),
    [
        (45015, "window_closed"),
        (45047, "too_many"),
        (43101, "declined"),
        (48002, "declined"),
        (40003, "user_unknown"),
        (45002, "too_long"),
        (40007, "media_gone"),
        (40037, "other"),
    ],
)
async def test_a_message_that_wechat_does_not_deliver(mini: MiniProgram, weixin: Weixin, errcode, reason):
    weixin.answer = {"errcode": errcode}

    with pytest.raises(MessageRefused) as caught:
        await mini.send_subscribe_message("o", "tpl", {"thing1": "到账"}, page="pages/index")

    assert caught.value.reason == reason
    assert msgspec.json.decode(weixin.calls[0].body)["data"] == {"thing1": {"value": "到账"}}


async def test_a_message_is_never_sent_twice_by_us(mini: MiniProgram, server: Scripted, weixin: Weixin):
    await mini.send_custom_message("o", "x")
    server.will(b"")

    with pytest.raises(WechatUnavailable):
        await mini.send_custom_message("o", "x")

    assert len(server.received) == 1


async def test_no_log_line_has_what_the_addresses_hold(
    mini: MiniProgram, server: Scripted, weixin: Weixin, caplog, capsys
):
    with caplog.at_level(logging.DEBUG):
        await mini.send_custom_message("openid-amy", "x")
        weixin.answer = {"errcode": 40029}
        with pytest.raises(JsCodeInvalid):
            await mini.code2session("js-code-1")
        server.will(b"")
        with pytest.raises(WechatUnavailable):
            await mini.code2session("js-code-1")

    written = caplog.text + "".join(capsys.readouterr())
    assert "wechat.unreachable" in written
    for secret in (SECRET, "js-code-1", "T1", "openid-amy"):
        assert secret not in written


async def test_processes_share_the_token_through_redis_and_it_is_sealed_there(
    engines, server: Scripted, weixin: Weixin
):
    made = config.Settings(database_url="x", master_keys=MASTER_KEYS, redis_url=engines.urls("x")["redis"])
    await redis.open_client(made)
    transport = Transport()
    weixin.tokens = ["T-shared", "T-never"]
    try:
        await redis.call("DEL", "wechat:access_token:wx1")
        for _ in range(2):
            process = MiniProgram(transport, server.base_url, "wx1", SECRET, Vault(MASTER_KEYS))
            await process.send_custom_message("o", "x")
        stored = await redis.call("GET", "wechat:access_token:wx1")
        await redis.call("SET", "wechat:access_token:wx1", b"not sealed by us")
        await MiniProgram(transport, server.base_url, "wx1", SECRET, Vault(MASTER_KEYS)).send_custom_message("o", "x")
    finally:
        await transport.aclose()
        await redis.call("DEL", "wechat:access_token:wx1")
        await redis.close_client()

    assert [call.target.partition("=")[2] for call in weixin.calls] == ["T-shared", "T-shared", "T-never"]
    assert b"T-shared" not in stored


def file(body: bytes, kind: str = "image/jpeg") -> bytes:
    """An answer that is a file."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nContent-Type: {kind}\r\n\r\n".encode() + body


async def test_what_a_customer_sent_is_fetched_by_its_media_id(mini: MiniProgram, server: Scripted):
    token = answer(200, {"access_token": "T1", "expires_in": 7200})
    server.will(token, answer(200, {"errcode": 42001}), token, token, file(b"\xff\xd8 picture"))

    assert await mini.download_media("m-1") == b"\xff\xd8 picture"

    assert "media_id=m-1" in server.received[-1].target


@pytest.mark.parametrize("errcode", [40007, 41006])
async def test_what_wechat_keeps_no_longer_is_gone(mini: MiniProgram, weixin: Weixin, errcode):
    weixin.answer = {"errcode": errcode, "errmsg": "invalid media_id"}

    with pytest.raises(MediaGone):
        await mini.download_media("m-1")


async def test_a_file_without_end_is_not_read(mini: MiniProgram, server: Scripted, weixin: Weixin, monkeypatch):
    monkeypatch.setattr(miniprogram, "MOST_MEDIA_BYTES", 1000)
    await mini.send_custom_message("o", "x")
    server.will(file(b"x" * 1001))

    with pytest.raises(WechatUnavailable):
        await mini.download_media("m-1")


@pytest.mark.parametrize(("data", "kind"), [(b"\x89PNG 1", b"image/png"), (b"\xff\xd8 1", b"image/jpeg")])
async def test_a_picture_is_given_to_wechat_as_the_field_of_a_form(mini: MiniProgram, weixin: Weixin, data, kind):
    weixin.answer = {"type": "image", "media_id": "m-9", "created_at": 1}

    assert await mini.upload_picture(data) == "m-9"

    (call,) = weixin.calls
    assert call.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="media"; filename="picture.' in call.body
    assert b"Content-Type: " + kind + b"\r\n\r\n" + data + b"\r\n--" in call.body
