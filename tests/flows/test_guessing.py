"""Somebody guesses member codes at a till: it is stopped, and nobody else notices."""

from __future__ import annotations

from backend.auth import codes
from backend.auth import service as auth
from backend.kernel import db
from backend.pos.commands.identify import TERMINAL_MISSES
from tests.support.pos import Till
from tests.support.value import give


def guess(number: int) -> str:
    """A code with the right form that no device makes."""
    body = f"70{number:09d}{number:08d}"
    return body + str(codes.luhn_digit(body))


async def test_a_terminal_that_guesses_is_stopped(client, chain, phone):
    await give(phone.member_id, principal=5_000)
    async with db.transaction() as tx:  # a till of this test's own: a stopped one stays so for a minute
        terminal_id, secret = await auth.create_terminal(tx, "S1", "三号")
    guesser, neighbour = Till(chain.till.base_url, terminal_id, secret, "S1"), chain.till

    answers = [await guesser.sell(client, guess(number)) for number in range(TERMINAL_MISSES + 1)]
    right_code_there = await guesser.sell(client, phone.code())
    right_code_beside = await neighbour.sell(client, phone.code())

    assert [answer.json()["code"] for answer in answers] == ["code_invalid"] * TERMINAL_MISSES + ["rate_limited"]
    assert (right_code_there.status_code, right_code_there.json()["code"]) == (429, "rate_limited")
    assert 0 < int(right_code_there.headers["retry-after"]) <= 120
    assert right_code_beside.status_code == 201
    assert (await phone.wallet())["stored"]["total_fen"] == 4_000
