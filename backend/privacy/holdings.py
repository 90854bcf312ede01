"""What is held of a member here: their words, and what they asked for."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, Obstacle, Shown, Table, holds, stripped

from . import service
from .commands import exports
from .types import Place


async def obstacles(tx: Tx, source_id: int) -> list[Obstacle]:
    """A wish to be erased is followed, or taken back, before its member becomes another."""
    rows = await db.fetch_in(
        tx, "SELECT id FROM privacy_erasure WHERE member_id = $1 AND state IN ('cooling', 'erasing')", source_id
    )
    found = tuple(row["id"] for row in rows)
    return [Obstacle(code="erasure_under_way", title="有未结束的注销申请", ids=found)] if found else []


# Who said no under one of two numbers has said no.
_REFUSED = """
INSERT INTO privacy_consent AS c (member_id, purpose, granted, version, at)
SELECT $2, s.purpose, false, s.version, $3 FROM privacy_consent s JOIN privacy_purpose p ON p.code = s.purpose
 WHERE s.member_id = $1 AND NOT s.granted AND NOT p.required
    ON CONFLICT (member_id, purpose) DO UPDATE SET granted = false, version = EXCLUDED.version, at = EXCLUDED.at
 WHERE c.granted RETURNING purpose, version, xmax <> 0 AS was"""


async def merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """What the target said holds, and so does the source's no; its archives are nobody's to fetch.

    What was said stays as history.
    """
    for row in await db.fetch_in(tx, _REFUSED, source_id, target_id, at):
        if row["purpose"] == service.SHARING and row["was"]:
            await service.tell_of_sharing(tx, target_id, granted=False)
        await service.note_word(
            tx, target_id, row["purpose"], version=row["version"], granted=False, place=Place.MERGE, at=at
        )
    await db.raw(tx).execute("DELETE FROM privacy_consent WHERE member_id = $1", source_id)
    rows = await db.fetch_in(tx, "SELECT id FROM privacy_export WHERE member_id = $1", source_id)
    await exports.drop(tx, [row["id"] for row in rows])


HOLDING = holds(
    Holding(
        name="privacy",
        title="授权与隐私",
        joined=("privacy_consent",),
        stays=("privacy_consent_change", "privacy_handout", "privacy_export", "privacy_erasure"),
        obstacles=obstacles,
        merge=merge,
        tables=(
            Table(
                "privacy_consent",
                DELETED,
                Shown(
                    title="授权",
                    columns={"purpose": "用途", "granted": "同意", "version": "文本版本", "at": "时间"},
                    key=("purpose",),
                ),
            ),
            Table(
                "privacy_consent_change",
                stripped("proof of what was agreed to: version, day and place, of a number", note="''"),
                Shown(
                    title="授权的变更",
                    columns={
                        "at": "时间",
                        "purpose": "用途",
                        "granted": "同意",
                        "version": "文本版本",
                        "place": "途径",
                        "note": "备注",
                    },
                    key=("at", "id"),
                ),
            ),
            Table(
                "privacy_handout",
                stripped("that staff handed an archive out, to whom and how they knew them", reason="''"),
                Shown(
                    title="当面交付的个人数据",
                    columns={"asked_at": "时间", "state": "状态", "proof": "本人核验", "fetched_at": "交付时间"},
                    key=("id",),
                ),
            ),
            Table(
                "privacy_export",
                stripped("that an archive was asked for; for a year", reason="''"),
                Shown(
                    title="个人数据申请",
                    columns={"asked_at": "时间", "state": "状态", "ready_at": "备好时间", "until": "可下载至"},
                    key=("id",),
                ),
            ),
            Table(
                "privacy_erasure",
                stripped("proof that a wish to be erased was followed", reason="''"),
                Shown(
                    title="注销申请",
                    columns={"asked_at": "时间", "state": "状态", "due_at": "生效时间", "given_up": "放弃的权益"},
                    key=("id",),
                ),
            ),
        ),
    )
)
