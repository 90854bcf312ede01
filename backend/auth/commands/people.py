"""People with a login."""

from __future__ import annotations

from backend.auth import passwords, queries, service
from backend.auth.types import Staff
from backend.kernel import clock, db, ids
from backend.kernel.errors import NotFound


async def create_staff(username: str, password: str, role: str, store_id: str | None, totp_secret: str | None) -> Staff:
    """Add a login."""
    password_hash = await passwords.hash_secret(password)
    async with db.transaction() as tx:
        staff_id = await service.create_staff(
            tx,
            username=username,
            password_hash=password_hash,
            role=role,
            store_id=store_id,
            totp_secret=totp_secret,
        )
    return await queries.get_staff(staff_id)


async def close_staff(staff_id: str) -> None:
    """Take a login away and end its sessions at once."""
    row_id = ids.read_bigint(staff_id)
    async with db.transaction() as tx:
        closed = await db.fetch_in(tx, "UPDATE auth_staff SET active = false WHERE id = $1 RETURNING id", row_id)
        if not closed:
            raise NotFound
        await db.raw(tx).execute(
            "UPDATE auth_staff_session SET ended_at = $2 WHERE staff_id = $1 AND ended_at IS NULL",
            row_id,
            clock.now(),
        )
    queries.forget_managers()
