"""A kind of approvals that renames a store: something that can be looked at, and refused."""

from __future__ import annotations

import uuid

import msgspec

from backend.approvals import service
from backend.approvals.types import Approval, Kind
from backend.auth import queries as auth
from backend.auth.types import Permission
from backend.kernel import db
from backend.kernel.db import Tx
from backend.kernel.errors import invalid
from tests.support.staff import StaffSession


class Rename(msgspec.Struct, frozen=True):
    """Which store is to be called what."""

    store_id: str
    name: str


async def _apply(tx: Tx, body: Rename, approval: Approval) -> None:
    if body.name == "refused":
        raise invalid("/name", "is no name")
    await db.raw(tx).execute("UPDATE auth_store SET name = $2 WHERE id = $1", body.store_id, body.name)


service.declare(
    Kind(code="test_rename", title="改店名", permission=Permission.TERMINALS_MANAGE, body=Rename, apply=_apply)
)


async def staff_id(session: StaffSession) -> int:
    """Whose session it is."""
    return int((await session.get("/v1/admin/me")).json()["staff"]["id"])


async def ask(session: StaffSession, name: str, store_id: str | None = "S1", key: str | None = None) -> Approval:
    """Ask for another name of a store, in this person's name."""
    caller = await auth.get_caller(await staff_id(session))
    async with db.transaction() as tx:
        return await service.request(
            tx,
            "test_rename",
            Rename(store_id or "S1", name),
            caller=caller,
            reason="新招牌",
            store_id=store_id,
            summary=f"改名为{name}",
            key=key or uuid.uuid4().hex,
        )
