"""Settings: every mistake is said at once, and no secret with it."""

from __future__ import annotations

import pytest

from backend.kernel.config import SettingsError, load, read_redis_addresses
from backend.kernel.vault import Vault

KEY = "A" * 43
GOOD = {"HUIYUAN_DATABASE_URL": "postgresql://app:sekret@db.internal:5432/huiyuan", "HUIYUAN_MASTER_KEYS": f"k1:{KEY}"}


def refused(**changes: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(GOOD | {f"HUIYUAN_{name.upper()}": value for name, value in changes.items()})
    return [line.partition(":")[0].removeprefix("HUIYUAN_").lower() for line in str(caught.value).splitlines()]


def test_what_is_right_is_taken():
    more = {"trusted_proxies": "10.0.0.0/8, ::1", "redis_url": "rediss://:pw@cache:6380/0", "timezone": "Europe/Paris"}

    settings = load(GOOD | {f"HUIYUAN_{name.upper()}": value for name, value in more.items()})

    assert settings.trusted_proxies == "10.0.0.0/8, ::1"
    assert (settings.db_pool_size, settings.demo) == (8, False)


def test_every_mistake_is_said_at_once():
    wrong = {
        "typo": "1",
        "db_pool_size": "0",
        "demo": "perhaps",
        "database_url": "mysql://app:sekret@db/huiyuan",
        "redis_url": "http://cache",
        "base_url": "shop.example",
        "wechat_pay_url": "https://",
        "master_keys": "k1:short",
        "trusted_proxies": "10.0.0.0/8,nonsense",
        "timezone": "Mars/Olympus",
        "wechat_mch_key_file": "/no/such/file",
    }

    assert sorted(refused(**wrong)) == sorted(wrong)


@pytest.mark.parametrize(
    "keys", ["abc", f"k1:{KEY}=x", f"k-1:{KEY}", f"k1:{KEY},", f"k1:{KEY},k1:{KEY}", f"k1:{KEY[:-2]}", f"k1:{KEY}é"]
)
def test_a_bad_master_key_is_refused_at_the_start(keys):
    assert refused(master_keys=keys) == ["master_keys"]
    with pytest.raises(SettingsError):
        Vault(keys)


@pytest.mark.parametrize("url", ["postgresql://app:sekret@db:port/x", "db:5432/x", "postgresql//app:sekret@db/x"])
def test_a_mistake_does_not_show_the_value(url):
    with pytest.raises(SettingsError) as caught:
        load(GOOD | {"HUIYUAN_DATABASE_URL": url, "HUIYUAN_MASTER_KEYS": "k1:sekret"})

    assert "sekret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_a_cluster_of_redis_is_named_by_some_of_its_nodes():
    url = "rediss+cluster://app:sekret@cache-1:6379,cache-2,[::1]:7000/0?ssl_cert_reqs=none"

    assert load(GOOD | {"HUIYUAN_REDIS_URL": url}).redis_url == url
    assert read_redis_addresses(url) == [
        f"rediss://app:sekret@{node}/0?ssl_cert_reqs=none" for node in ("cache-1:6379", "cache-2", "[::1]:7000")
    ]
    assert read_redis_addresses("redis://cache:6379/2") == ["redis://cache:6379/2"]
    assert read_redis_addresses("") == []


@pytest.mark.parametrize(
    "url",
    ["redis+cluster://", "redis+cluster://a:1,", "redis+cluster://a:x", "redis+cluster://a:1/2", "unix+cluster://a"],
)
def test_what_names_no_cluster_is_refused(url):
    assert refused(redis_url=url) == ["redis_url"]
