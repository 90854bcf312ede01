"""What an installation must say about WeChat, and what happens where it says nothing."""

from __future__ import annotations

import msgspec
import pytest
import pytest_asyncio

from backend.kernel import clock
from backend.kernel.config import Settings, SettingsError
from backend.wechat import service
from backend.wechat.errors import JsCodeInvalid, WechatMisconfigured

from .platform import (
    API_V3_KEY,
    APP_ID,
    ENCODING_AES_KEY,
    KEY_ID,
    MCH_ID,
    MCH_SERIAL,
    PUSH_TOKEN,
    public_pem,
    push_query,
    write_private_pem,
)

BARE = Settings(database_url="x", master_keys="k1:" + "A" * 43)


@pytest.fixture
def whole(tmp_path) -> Settings:
    keys = tmp_path / "platform"
    keys.mkdir()
    (keys / f"{KEY_ID}.pem").write_bytes(public_pem("public key"))
    write_private_pem("merchant", tmp_path / "merchant.pem")
    return msgspec.structs.replace(
        BARE,
        wechat_app_id=APP_ID,
        wechat_app_secret="secret",
        wechat_push_token=PUSH_TOKEN,
        wechat_encoding_aes_key=ENCODING_AES_KEY,
        wechat_mch_id=MCH_ID,
        wechat_mch_serial=MCH_SERIAL,
        wechat_mch_key_file=str(tmp_path / "merchant.pem"),
        wechat_api_v3_key=API_V3_KEY,
        wechat_platform_keys_dir=str(keys),
    )


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def closed():
    yield
    await service.close_client()


async def test_whole_settings_open(whole):
    await service.open_client(whole)

    assert service.pay_params("wx1", clock.now())["appId"] == APP_ID
    assert service.echo(push_query(at=clock.now()) | {"echostr": "42"}) == "42"


async def test_without_wechat_every_call_says_so():
    await service.open_client(BARE)

    with pytest.raises(WechatMisconfigured):
        await service.login("a-code")
    with pytest.raises(WechatMisconfigured):
        await service.close_order("R1")
    with pytest.raises(WechatMisconfigured):
        await service.accept_payment({}, b"")
    with pytest.raises(WechatMisconfigured):
        service.echo({})


async def test_an_impossible_code_is_refused_without_asking_wechat():
    await service.open_client(BARE)

    for code in ("", "a b", "x" * 257, "é", "a\0"):
        with pytest.raises(JsCodeInvalid):
            await service.login(code)


@pytest.mark.parametrize(
    "name",
    ["wechat_app_id", "wechat_mch_serial", "wechat_mch_key_file", "wechat_api_v3_key", "wechat_platform_keys_dir"],
)
async def test_half_a_merchant_stops_the_start(whole, name):
    with pytest.raises(SettingsError, match=f"HUIYUAN_{name.upper()}: is required"):
        await service.open_client(msgspec.structs.replace(whole, **{name: ""}))


async def test_wrong_keys_stop_the_start(whole):
    for changes in ({"wechat_api_v3_key": "short"}, {"wechat_encoding_aes_key": "short"}):
        with pytest.raises(SettingsError):
            await service.open_client(msgspec.structs.replace(whole, **changes))
