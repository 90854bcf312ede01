"""The demo's staff: somebody of each role, what waits for a second person, and a log worth searching."""

from __future__ import annotations

from backend.auth import queries
from backend.auth.queries import AuditFilter
from backend.auth.types import Role
from backend.demo.load import _load_chain, _staff
from backend.demo.staff import WISHES, load_approvals, load_log
from backend.kernel import db
from tests.support import wire
from tests.support.members import register
from tests.support.staff import StaffSession


async def test_there_is_somebody_of_each_role_something_to_approve_and_a_month_in_the_log(server):
    await _load_chain()
    async with wire.connected(server.base_url) as client:
        for _ in range(len(WISHES)):
            phone = await register(client)
            store = next(one["store_id"] for one in _staff() if one["username"] == "manager1")
            await phone.call("PATCH", "/v1/member/profile", {"store_id": store})
        await load_approvals()
        await load_log()
        office = [one for one in _staff() if one["store_id"] is None]
        sessions = {}
        for one in office:
            body = {"username": one["username"], "password": one["password"]}
            answer = await client.post("/v1/admin/login", json=body)
            sessions[one["role"]] = StaffSession(client, answer.json()["access_token"], "")

        waiting = (await sessions["admin"].get("/v1/admin/approvals?todo=true")).json()["items"]
        log = (await sessions["auditor"].get("/v1/admin/audit?limit=200")).json()["items"]

    assert {one["role"] for one in _staff()} == set(Role)
    assert len(waiting) == len(WISHES)
    assert {one["asked_by_name"] for one in waiting} == {"manager1"}
    assert len(log) == 200
    assert {"", "forbidden", "unauthenticated"} <= {one["code"] for one in log}
    by_one = await queries.list_audit(
        AuditFilter(route="POST /v1/admin/members/{member_id}/freeze"), before=None, limit=9
    )
    assert by_one
    assert await db.fetchval("SELECT count(*) FROM auth_audit WHERE at > now()") == 0
