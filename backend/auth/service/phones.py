"""Which phone is whose of the staff: proved once from both sides, by a login with its password and by the phone."""

from __future__ import annotations

from backend.auth import rules
from backend.auth.queries import changed
from backend.auth.types import StaffCaller
from backend.kernel import db
from backend.kernel.db import Tx

_OWNER = """
SELECT f.id, f.role, f.store_id, r.granted, r.withheld
  FROM auth_staff f
  JOIN auth_staff_phone p ON p.staff_id = f.id AND p.member_id = f.member_id
  JOIN auth_role r ON r.code = f.role
 WHERE f.member_id = $1 AND f.active FOR SHARE OF f, p, r"""


async def hold_phone_owner(tx: Tx, member_id: int) -> StaffCaller | None:
    """Who of the staff proved that this member's phone is theirs, as they stand now; None for nobody active.

    Until the transaction ends nobody is dismissed, moved or unbound, and no role changes: whoever does that waits.
    """
    rows = await db.fetch_in(tx, _OWNER, member_id)
    if not rows:
        return None
    row = rows[0]
    return StaffCaller(
        staff_id=row["id"],
        session_id=0,
        role=row["role"],
        store_id=row["store_id"],
        permissions=rules.held(row["role"], row["store_id"], *changed(row)),
        rate_key="",
        rate_per_minute=0,
    )


async def forget_phone(tx: Tx, staff_id: int) -> bool:
    """Let somebody's phone speak for them no more; False where none did."""
    rows = await db.fetch_in(
        tx,
        "DELETE FROM auth_staff_phone WHERE staff_id = $1 RETURNING member_id IS NOT NULL AS bound",
        staff_id,
    )
    if not rows or not rows[0]["bound"]:
        return False
    await db.raw(tx).execute("UPDATE auth_staff SET member_id = NULL WHERE id = $1", staff_id)
    return True
