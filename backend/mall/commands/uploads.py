"""Pictures that members upload: kept for their member until something shows them, or forgotten."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from backend.kernel import clock, db, drawing, limits, logging, pictures
from backend.kernel.db import Tx
from backend.kernel.errors import RateLimited

log = logging.get(__name__)

A_DAY = 40
"""Pictures that a member may keep within 24 hours."""

READ_A_DAY = 3 * A_DAY
"""That are looked at within 24 hours, what is refused counted in: reading one takes a processor."""

KEPT_UNUSED = timedelta(days=2)
"""How long a picture is kept that its member has not used."""

_SWEPT, _ROUNDS = 500, 100
_DAY = timedelta(days=1)
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('mall_upload ' || $1, 0))"


async def add(data: bytes, member_id: int) -> tuple[str, pictures.Picture]:
    """Keep a member's picture, drawn anew, under an id that nobody guesses; the same one again has the same id.

    Raises ``ValidationFailed`` for what is no picture, ``RateLimited`` for more than 40 in 24 hours.
    """
    await limits.hit(f"upload:{member_id}", READ_A_DAY, int(_DAY.total_seconds()))
    picture = await drawing.draw(data)
    now = clock.now()
    async with db.transaction() as tx:
        # Two at once would both find room for one.
        await db.raw(tx).execute(_ALONE, str(member_id))
        known = await db.fetch_in(
            tx,
            "UPDATE mall_upload SET at = $3 WHERE member_id = $1 AND digest = $2 AND used_at IS NULL RETURNING id",
            member_id,
            picture.id,
            now,
        )
        upload_id = known[0]["id"] if known else await _keep(tx, member_id, picture, now)
    log.info("mall.upload_kept", upload_id=upload_id[:12], size=len(picture.large), again=bool(known))
    return upload_id, picture


async def _keep(tx: Tx, member_id: int, picture: pictures.Picture, now: datetime) -> str:
    (told,) = await db.fetch_in(
        tx,
        "SELECT count(*) AS kept, min(at) AS first FROM mall_upload WHERE member_id = $1 AND at > $2",
        member_id,
        now - _DAY,
    )
    if told["kept"] >= A_DAY:
        wait_s = int((told["first"] + _DAY - now).total_seconds()) + 1
        raise RateLimited(f"at most {A_DAY} pictures in 24 hours", retry_after_s=wait_s)
    upload_id = secrets.token_hex(32)
    await db.raw(tx).execute(
        "INSERT INTO mall_upload (id, member_id, digest, kind, large, small, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        upload_id,
        member_id,
        picture.id,
        pictures.KIND,
        picture.large,
        picture.small,
        now,
    )
    return upload_id


_UNUSED = """
DELETE FROM mall_upload WHERE id = ANY (ARRAY(
    SELECT id FROM mall_upload WHERE used_at IS NULL AND at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING 1"""


async def drop_unused() -> int:
    """Forget pictures that their members have not used for two days; returns how many. Who uses one is passed over."""
    before, dropped = clock.now() - KEPT_UNUSED, 0
    for _ in range(_ROUNDS):
        async with db.transaction() as tx:
            gone = len(await db.fetch_in(tx, _UNUSED, before, _SWEPT))
        dropped += gone
        if gone < _SWEPT:
            break
    return dropped
