"""Who shows a number and a PIN, and how often one may guess.

A try is counted and committed before it is judged, so tries at the same moment cannot share one. Numbers that no card
has are counted and locked in the same way: neither the answer nor the lock tells which numbers there are.
"""

from __future__ import annotations

import hmac
import math
from datetime import timedelta

from backend.kernel import clock, db, limits, logging

from .. import numbers, queries, rules
from ..errors import GiftCardInvalid, GiftCardLocked
from ..types import GiftCard

log = logging.get(__name__)

TERMINAL_TRIES = 20
SALE_TRIES = 120
TERMINAL_WINDOW_S = 60
MEMBER_TRIES = 20
MEMBER_WINDOW_S = 3600
FORGOTTEN_AFTER = timedelta(days=30)
"""Wrong tries at a number are forgotten after so long without one."""

_NOBODY = b"\x00" * 32

_COUNT = """
INSERT INTO giftcard_try AS t (number_digest, failures, at) VALUES ($1, 1, $2)
ON CONFLICT (number_digest) DO UPDATE SET failures = t.failures + 1, at = $2,
       locked_until = CASE WHEN (t.failures + 1) % $3 = 0
           THEN $2 + least($4::interval * power(2, least(t.failures / $3, 20)), $5::interval) END
 WHERE t.locked_until IS NULL OR t.locked_until <= $2
RETURNING failures"""

_SHOWN = f"""
SELECT found.*, own.pin_digest FROM ({queries.CARD} WHERE c.number_digest = $1) AS found
  JOIN giftcard own ON own.id = found.id"""


async def prove_to_till(card_no: str, pin: str, terminal_id: str) -> GiftCard:
    """The card with that number and PIN, shown at a till; a till may try 20 times a minute."""
    return await _prove(card_no, pin, f"terminal:{terminal_id}", TERMINAL_TRIES, TERMINAL_WINDOW_S)


async def prove_by_member(card_no: str, pin: str, member_id: int) -> GiftCard:
    """The card with that number and PIN, typed on a phone; a member may try 20 times an hour."""
    return await _prove(card_no, pin, f"member:{member_id}", MEMBER_TRIES, MEMBER_WINDOW_S)


async def _prove(card_no: str, pin: str, who: str, most: int, window_s: int) -> GiftCard:
    """The card with that number and PIN.

    Raises ``GiftCardInvalid`` for a number that is none and for a wrong PIN alike, ``GiftCardLocked`` with the seconds
    to wait for a number that was tried wrongly too often, and ``RateLimited`` where ``who`` tried too often.
    """
    number = numbers.read_number(card_no)
    if number is None:
        raise GiftCardInvalid  # a slip of the finger: it could be no card's, so it is no guess
    await limits.hit(f"gift-card-try:{who}", most, window_s)
    digest = queries.number_digest(number)
    failures = await _count(digest)
    row = await db.fetchrow(_SHOWN, digest)
    matches = hmac.compare_digest(queries.pin_digest(digest, pin), row["pin_digest"] if row else _NOBODY)
    if row is None or not matches:
        log.warning("giftcards.wrong_try", known=row is not None, failures=failures)
        raise GiftCardInvalid
    await db.fetchval("DELETE FROM giftcard_try WHERE number_digest = $1", digest)
    return queries.card_of(row)


async def find_for_sale(card_no: str, terminal_id: str) -> GiftCard:
    """The card with that number, which is about to be sold; a till may ask 120 times a minute."""
    number = numbers.read_number(card_no)
    if number is None:
        raise GiftCardInvalid
    await limits.hit(f"gift-card-sale:{terminal_id}", SALE_TRIES, TERMINAL_WINDOW_S)
    found = await queries.find_by_number(number)
    if found is None:
        raise GiftCardInvalid
    return found


async def sweep() -> None:
    """Forget the tries at numbers that nobody tried for long."""
    await db.fetchval("DELETE FROM giftcard_try WHERE at < $1", clock.now() - FORGOTTEN_AFTER)


async def _count(digest: bytes) -> int:
    """Count a try at a number; how many there were in a row. ``GiftCardLocked`` while it is locked."""
    now = clock.now()
    failures = await db.fetchval(_COUNT, digest, now, rules.TRIES, rules.LOCK, rules.LONGEST_LOCK)
    if failures is None:
        until = await db.fetchval("SELECT locked_until FROM giftcard_try WHERE number_digest = $1", digest)
        left_s = (until - now).total_seconds() if until else 0
        raise GiftCardLocked(retry_after_s=max(1, math.ceil(left_s)))
    return int(failures)
