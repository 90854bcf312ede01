"""Links of staff by e-mail: sent as they are, kept nowhere; none is made for what cannot be written to."""

from __future__ import annotations

import msgspec

from backend.auth.routes import people
from backend.kernel import config, db
from tests.support.smtp import mail_server
from tests.support.staff import PASSWORD, STAFF, hire

INVITATIONS = "/v1/admin/invitations"


async def test_a_link_is_sent_and_works_and_a_failed_letter_leaves_it_good(client, chain, admin, monkeypatch):
    body = {"username": "mailed", "role": "auditor", "email": "new@people.example"}
    refused = await admin.post(INVITATIONS, body)
    assert refused.json()["errors"][0]["pointer"] == "/email", "no mail server"
    assert (await admin.get(INVITATIONS)).json()["items"] == []

    async with mail_server() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        config.use(msgspec.structs.replace(config.settings(), smtp_url=url, mail_from="惠员 <service@chain.example>"))
        made = (await admin.post(INVITATIONS, body)).json()
        staff_id, _ = await hire(admin)
        server.next("RCPT", "550 5.1.1 no such mailbox")
        lost = (await admin.post(f"{STAFF}/{staff_id}/reset-password", {"email": "gone@people.example"})).json()
        wrong = await admin.post(f"{STAFF}/{staff_id}/reset-password", {"email": "no address"})
        monkeypatch.setattr(people, "MAILS_AN_HOUR", 2)
        limited = await admin.post(f"{STAFF}/{staff_id}/reset-password", {"email": "more@people.example"})

    (letter,) = server.taken
    assert (made["sent"], lost["sent"]) == (True, False)
    assert f"/admin#/join?token={made['token']}" in letter.text("plain")
    assert wrong.json()["errors"][0]["pointer"] == "/email"
    assert (limited.status_code, limited.json()["code"]) == (429, "rate_limited"), "and the link of before stays good"
    assert (
        await db.fetchval("SELECT count(*) FROM auth_staff_link WHERE auth_staff_link::text LIKE '%people.example%'")
        == 0
    )
    for link in (made, lost):
        used = await client.post("/v1/admin/links/use", json={"token": link["token"], "password": PASSWORD})
        assert used.status_code == 200, used.text
