"""A till's headers have one form: what could be read in two ways is refused."""

from __future__ import annotations

import pytest

from tests.security.test_pos_auth import SALES, refused, sign
from tests.support.books import fingerprint


async def test_a_header_that_is_there_twice_is_another_header(client, chain, rich, settings):
    """Neither the first nor the last of them is chosen, here or by a proxy in between."""
    one, other = sign(chain.till, rich.code()), sign(chain.till, rich.code())
    before = await fingerprint(settings)
    first = list(one.headers.items())

    for extra in (
        ("Authorization", one.headers["Authorization"]),
        ("Authorization", other.headers["Authorization"]),
        ("Authorization", "Bearer x"),
        ("Idempotency-Key", one.key),
        ("Idempotency-Key", other.key),
    ):
        refused(await client.post(SALES, content=one.body, headers=[*first, extra]), repr(extra))
        refused(await client.post(SALES, content=one.body, headers=[extra, *first]), repr(extra))

    assert await fingerprint(settings) == before
    assert (await one.send(client)).status_code == 201


@pytest.mark.parametrize("change", [str.lower, str.upper])
async def test_names_of_headers_are_the_same_in_any_case(client, chain, rich, change):
    signed = sign(chain.till, rich.code())

    sold = await client.post(
        SALES, content=signed.body, headers={change(name): value for name, value in signed.headers.items()}
    )

    assert sold.status_code == 201


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda h: h.replace("terminal=", "Terminal="), id="a name in capitals"),
        pytest.param(lambda h: h.replace(",nonce=", ",,nonce="), id="an empty part"),
        pytest.param(lambda h: h + ",x=1", id="one more part"),
        pytest.param(lambda h: h.replace("timestamp=", "timestamp=+"), id="a sign"),
        pytest.param(lambda h: h.replace(",nonce=", ",nonce= "), id="a blank in a value"),
        pytest.param(lambda h: h.replace(" terminal", "\tterminal"), id="a tab"),
        pytest.param(lambda h: " ".join([h.split(" ")[0], ",".join(reversed(h.split(" ")[1].split(",")))]), id="order"),
    ],
)
async def test_the_header_has_one_form(client, chain, rich, settings, rewrite):
    signed = sign(chain.till, rich.code())
    before = await fingerprint(settings)

    refused(await signed.with_header("Authorization", rewrite(signed.headers["Authorization"])).send(client))

    assert await fingerprint(settings) == before
