"""Addresses chosen by others: nothing inside is reached, however it is named."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from backend.kernel import outbound
from backend.kernel.outbound import AddressRefused, PublicOnly, is_public

from .http.conftest import Site, make_settings, serving

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "198.18.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "203.119.25.1", "2606:4700::1111", "2400:3200::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.fixture(scope="module")
def inside() -> Iterator[Site]:
    """A server on this machine that no webhook may reach."""
    with serving(make_settings()) as site:
        yield site


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080/",
        "http://localhost:8080/",
        "http://2130706433:8080/",
        "http://0x7f.1:8080/",
        "http://0177.0.0.1:8080/",
        "http://127.1:8080/",
        "http://[::1]:8080/",
        "http://[::ffff:127.0.0.1]:8080/",
        "http://0:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user:pass@8.8.8.8/",
        "http://8.8.8.8:22/",
        "http://8.8.8.8:6379/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "http:///x",
    ],
)
async def test_an_address_inside_is_refused_however_it_is_written(address: str) -> None:
    async with httpx.AsyncClient(transport=PublicOnly(), trust_env=False) as client:
        with pytest.raises((AddressRefused, httpx.UnsupportedProtocol, httpx.InvalidURL)):
            await client.get(address)


def resolving(*answers: list[str]) -> tuple[list[str], outbound.Resolve]:
    """A resolver that gives these answers in turn, and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return asked, resolve


async def test_one_address_inside_among_several_is_one_too_many() -> None:
    _, resolve = resolving(["8.8.8.8", "10.0.0.1"])

    async with httpx.AsyncClient(transport=PublicOnly(resolve=resolve)) as client:
        with pytest.raises(AddressRefused):
            await client.get("http://hooks.example/")


async def test_a_name_without_an_address_is_refused() -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    async with httpx.AsyncClient(transport=PublicOnly(resolve=resolve)) as client:
        with pytest.raises(AddressRefused):
            await client.get("http://hooks.example/")


class Allowing:
    """For a server of the test's own, at whatever port, as though it were outside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
        monkeypatch.setattr(outbound, "PORTS", {site.port})

    def __call__(self, address: str) -> bool:
        return address == "127.0.0.1"


async def test_the_connection_goes_to_the_address_that_was_checked(
    inside: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means another address when it is asked again is not asked again."""
    asked, resolve = resolving(["127.0.0.1"], ["10.0.0.1"])
    transport = PublicOnly(resolve=resolve, public=Allowing(monkeypatch, inside))

    async with httpx.AsyncClient(transport=transport) as client:
        answer = await client.post(f"http://hooks.example:{inside.port}/v1/raw?x=1", content=b"12")

    assert (answer.status_code, answer.json()["target"]) == (200, "/v1/raw?x=1")
    assert answer.request.headers["host"] == f"hooks.example:{inside.port}"
    assert asked == ["hooks.example"]


async def test_a_redirect_is_checked_like_the_first_address(inside: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    class Redirecting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(302, headers={"Location": f"http://127.0.0.1:{inside.port}/"}, request=request)

    monkeypatch.setattr(outbound, "PORTS", {80, inside.port})
    _, resolve = resolving(["8.8.8.8"], ["127.0.0.1"])

    async with httpx.AsyncClient(transport=PublicOnly(Redirecting(), resolve=resolve), follow_redirects=True) as client:
        with pytest.raises(AddressRefused):
            await client.get("http://hooks.example/")
