"""Whose card a number is, for a till: one indexed read, shared by all who ask at the same time."""

from __future__ import annotations

from backend.kernel import clock, db
from backend.kernel.batching import Batcher
from backend.kernel.config import settings

from .. import rules
from ..errors import CardEnded, CardExpired, CardInvalid, CardLost
from ..types import Carried

_FIND = f"""
SELECT id, number, member_id, type_code, state, valid_until FROM membercard
 WHERE number = ANY({db.given(1, "text")})"""  # noqa: S608 - put together of constants


async def _find(numbers: list[str]) -> list[db.Record | BaseException | None]:
    found = {row["number"]: row for row in await db.fetch(_FIND, numbers)}
    return [found.get(number) for number in numbers]


_numbers: Batcher[str, db.Record | None] = Batcher(_find, max_size=64, lanes=2)


def looks_like_card(text: str) -> bool:
    """Whether this can be a card's number by its form; a dynamic code, a member number or a phone number cannot."""
    return rules.looks_like_number(text) and len(text) != 12


async def find_member(card_no: str) -> Carried:
    """Whose card this is, and that it is in force; it proves nothing more, for it can be copied.

    Raises ``CardInvalid`` for what no member has (a guess: whoever lets people try counts it), ``CardLost``,
    ``CardExpired``, or ``CardEnded`` for one that was replaced or taken out of use.
    """
    row = await _numbers.submit(card_no) if looks_like_card(card_no) else None
    if row is None or row["state"] in ("printed", "allotted"):
        raise CardInvalid
    if row["state"] == "lost":
        raise CardLost
    if row["state"] == "expired" or _over(row):
        raise CardExpired
    if row["state"] != "issued":
        raise CardEnded
    return Carried(row["id"], row["member_id"], row["type_code"])


def _over(row: db.Record) -> bool:
    today = clock.local_date(clock.now(), settings().timezone)
    return row["state"] == "issued" and rules.is_over(row["valid_until"], today)
