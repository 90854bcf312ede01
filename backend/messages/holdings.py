"""What is held of a member here: letters, their ways, and which of them are wanted."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db, ids
from backend.kernel.db import Tx
from backend.members import telling
from backend.members.holding import DELETED, Holding, MovingTable, Shown, Table, holds, kept, stripped

from .queries.addresses import EMAIL_CONTEXT, list_addresses

FIGURES = "counted in the figures of a batch; without text, link or address"

# Who said no under one of two numbers has said no.
_REFUSED = """
WITH refused AS (
    UPDATE message_consent t SET granted = false, at = $3 FROM message_consent s
     WHERE t.member_id = $2 AND s.member_id = $1 AND s.channel = t.channel AND s.purpose = t.purpose
       AND t.granted AND NOT s.granted
    RETURNING t.channel, t.purpose, false AS granted
), taken AS (
    INSERT INTO message_consent (member_id, channel, purpose, granted, at)
    SELECT $2, channel, purpose, granted, at FROM message_consent WHERE member_id = $1
        ON CONFLICT (member_id, channel, purpose) DO NOTHING RETURNING channel, purpose, granted
)
SELECT channel, purpose, granted FROM refused UNION ALL SELECT channel, purpose, granted FROM taken"""
_NOTED = """
INSERT INTO message_consent_change (member_id, id, channel, purpose, granted, by, at)
SELECT $1, * , 'merge', $6 FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bool[])"""


async def _join_consents(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    rows = await db.fetch_in(tx, _REFUSED, source_id, target_id, at)
    columns = [[row[place] for row in rows] for place in ("channel", "purpose", "granted")]
    await db.raw(tx).execute(_NOTED, target_id, [ids.new_bigint() for _ in rows], *columns, at)


HOLDING = holds(
    Holding(
        name="messages",
        title="消息",
        tables=(
            Table(
                "message_touch",
                stripped(FIGURES, client="''"),
                Shown(
                    title="消息的打开与点击",
                    columns={"at": "时间", "letter_id": "消息", "channel": "渠道", "kind": "动作"},
                    key=("letter_id", "channel", "seq"),
                ),
            ),
            Table(
                "message_delivery",
                kept(FIGURES),
                Shown(
                    title="消息的发送",
                    columns={
                        "letter_id": "消息",
                        "channel": "渠道",
                        "purpose": "用途",
                        "state": "状态",
                        "sent_at": "发送时间",
                        "opened_at": "打开时间",
                        "clicked_at": "点击时间",
                    },
                    key=("letter_id", "channel"),
                ),
            ),
            Table(
                "message_letter",
                stripped(FIGURES, title="''", body="''", link="NULL", given="'{}'"),
                Shown(
                    title="收到的消息",
                    columns={
                        "id": "编号",
                        "at": "时间",
                        "title": "标题",
                        "body": "正文",
                        "purpose": "用途",
                        "read_at": "阅读时间",
                    },
                    key=("id",),
                ),
            ),
            Table(
                "message_reply",
                DELETED,
                Shown(
                    title="回复的短信",
                    columns={"at": "时间", "channel": "渠道", "text": "内容"},
                    key=("id",),
                ),
            ),
            Table(
                "message_consent",
                DELETED,
                Shown(
                    title="消息订阅",
                    columns={"channel": "渠道", "purpose": "用途", "granted": "同意", "at": "时间"},
                    key=("channel", "purpose"),
                ),
            ),
            Table(
                "message_consent_change",
                kept("proof of which letters were wanted, when, and who wrote it down"),
                Shown(
                    title="消息订阅的变更",
                    columns={"at": "时间", "channel": "渠道", "purpose": "用途", "granted": "同意", "by": "由谁"},
                    key=("id",),
                ),
            ),
            Table(
                "message_email",
                DELETED,
                Shown(
                    title="邮箱",
                    columns={"sealed": "邮箱", "pending_sealed": "待确认的邮箱", "confirmed_at": "确认时间"},
                    key=("member_id",),
                    sealed={"sealed": EMAIL_CONTEXT, "pending_sealed": EMAIL_CONTEXT},
                ),
            ),
            Table(
                "message_subscription",
                DELETED,
                Shown(
                    title="微信订阅消息",
                    columns={"template_id": "模板", "accepted": "同意次数", "used": "已用", "refused_at": "拒绝时间"},
                    key=("template_id",),
                ),
            ),
            Table("message_subscription_answer", DELETED, unshown="keys of requests, against counting one twice"),
        ),
        moves=(
            MovingTable("message_reply"),
            MovingTable("message_email"),
            # WeChat lets the account that accepted be written to. Messages go to the target's own, if there is one
            # (``auth.service.join_identities``): then what the source's accepted is of no use, and not added.
            MovingTable("message_subscription", key=("template_id",)),
            MovingTable("message_subscription_answer", key=("key",)),
        ),
        joined=("message_consent",),
        stays=("message_touch", "message_delivery", "message_letter", "message_consent_change"),
        merge=_join_consents,
    )
)
telling.keeps("email", list_addresses)
