"""What may be given with cases, and how often somebody did."""

from __future__ import annotations

from datetime import datetime

from backend.coupons import queries as coupons
from backend.kernel import db
from backend.kernel.db import Tx

MOST_COUPONS = 100


async def count_given(staff_id: int, since: datetime, tx: Tx | None = None) -> int:
    """With how many cases somebody has given something since then."""
    query = "SELECT count(*) FROM feedback_step WHERE action = 'give' AND staff_id = $1 AND at > $2"
    rows = await (db.fetch_in(tx, query, staff_id, since) if tx else db.fetch(query, staff_id, since))
    return int(rows[0][0])


async def list_coupons() -> dict[str, str]:
    """The templates of which stores may give a coupon with a case, and what they are called; by title."""
    rows = await db.fetch("SELECT template_id FROM feedback_gift ORDER BY template_id LIMIT $1", MOST_COUPONS)
    titles = await coupons.list_titles([row["template_id"] for row in rows])
    return dict(sorted(titles.items(), key=lambda item: item[1]))


async def is_offered(tx: Tx, template_id: str) -> bool:
    """Whether stores may give a coupon of this template."""
    return bool(await db.fetch_in(tx, "SELECT FROM feedback_gift WHERE template_id = $1", template_id))
