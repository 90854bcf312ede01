"""The audit of letters: silent about what the program wrote, and every tampered row is found."""

from __future__ import annotations

import pytest

from backend.messages import audit
from backend.messages.types import Channel, Letter, Purpose
from tests.support import kept
from tests.support.messages import agree, make_batch, own_template, work, write
from tests.support.value import findings

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")

LIES = {
    "no word before allows it": "DELETE FROM message_consent_change WHERE member_id = $1",
    "is not the last word": "UPDATE message_consent SET granted = NOT granted WHERE member_id = $1",
    "1 messages of TPL-1 went through WeChat, and 0 were spent": (
        "UPDATE message_subscription SET used = 0 WHERE member_id = $1"
    ),
    "counts 9 letters, and 1 are there": (
        "UPDATE message_batch SET written = 9 WHERE id IN (SELECT batch_id FROM message_letter WHERE member_id = $1)"
    ),
    "was not delivered there": (
        "UPDATE message_delivery SET state = 'queued' WHERE member_id = $1 AND channel = 'inbox'"
    ),
}


async def test_every_tampered_row_is_found(phone, admin, settings, fake_channels):
    texts = {"wechat": {"template_id": "TPL-1", "fields": {"thing1": "{what}"}}}
    await own_template(admin, "own.audit", channels=["inbox", "wechat"], texts=texts)
    for channel in (Channel.INBOX, Channel.WECHAT):
        await agree(phone.member_id, channel, Purpose.MARKETING)
    accepted = {"results": {"TPL-1": "accept"}}
    await phone.call("POST", "/v1/member/messages/subscriptions", accepted, key="a")
    batch = await make_batch(admin, "own.audit", audience={"member_nos": [phone.member["member_no"]]})
    await admin.post(f"/v1/admin/messages/batches/{batch['id']}/start")
    await write(Letter(phone.member_id, "test.note", {"what": "x"}, "n"))
    await work()
    clean = await findings(settings)

    owner = await kept.connection(settings, "huiyuan_owner")
    found = {}
    for words, sql in LIES.items():
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute("ALTER TABLE message_consent_change DISABLE TRIGGER USER")
        await owner.execute(sql, phone.member_id)
        found[words] = await _prove(owner)
        await transaction.rollback()

    assert clean == []
    for words, told in found.items():
        assert any(words in one for one in told), (words, told)


async def _prove(connection):
    rows = []
    for check in audit._CHECKS:
        rows += [row[1] for row in await connection.fetch(check, 50)]
    return rows
