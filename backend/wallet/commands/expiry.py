"""Head office says how long points last, by what they come from."""

from __future__ import annotations

from backend.kernel import clock, db, logging
from backend.kernel.errors import invalid

from .. import queries
from ..schemas import ExpiryIn
from ..types import Expiry, ExpiryMode, PointsSource

log = logging.get(__name__)

_WRITE = """
INSERT INTO wallet_points_expiry (source, mode, count, month, day, updated_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (source) DO UPDATE SET mode = EXCLUDED.mode, count = EXCLUDED.count, month = EXCLUDED.month,
    day = EXCLUDED.day, updated_at = EXCLUDED.updated_at"""


async def say(source: PointsSource, body: ExpiryIn) -> None:
    """From now on points of that source last so long; what was given before keeps its last day."""
    expiry = _checked(body)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            _WRITE, source.value, expiry.mode.value, expiry.count, expiry.month, expiry.day, clock.now()
        )
    queries.forget_expiry()
    log.info("wallet.points_expiry_changed", source=source.value, mode=expiry.mode.value)


async def forget(source: PointsSource) -> None:
    """Let the setting hold for that source again."""
    async with db.transaction() as tx:
        await db.raw(tx).execute("DELETE FROM wallet_points_expiry WHERE source = $1", source.value)
    queries.forget_expiry()


def _checked(body: ExpiryIn) -> Expiry:
    fixed = body.mode is ExpiryMode.FIXED_DAY
    for name, value in (("month", body.month), ("day", body.day)):
        if fixed and value is None:
            raise invalid(f"/{name}", "is missing")
        if not fixed and value is not None:
            raise invalid(f"/{name}", "is for a fixed day")
    if body.mode is ExpiryMode.MONTHS and not body.count:
        raise invalid("/count", "must be one month or more")
    if body.mode is ExpiryMode.NEVER and body.count:
        raise invalid("/count", "is nothing for points that do not expire")
    return Expiry(body.mode, body.count, body.month, body.day)
