"""What is held of a member here: their words, and what they asked for."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import DELETED, Holding, Obstacle, Shown, Table, holds, kept, stripped

from .commands import exports


async def obstacles(tx: Tx, source_id: int) -> list[Obstacle]:
    """A wish to be erased is followed, or taken back, before its member becomes another."""
    rows = await db.fetch_in(
        tx, "SELECT id FROM privacy_erasure WHERE member_id = $1 AND state IN ('cooling', 'erasing')", source_id
    )
    found = tuple(row["id"] for row in rows)
    return [Obstacle(code="erasure_under_way", title="有未结束的注销申请", ids=found)] if found else []


async def merge(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    """What the target said holds, and the source's archives are nobody's to fetch; what was said stays as history."""
    await db.raw(tx).execute("DELETE FROM privacy_consent WHERE member_id = $1", source_id)
    rows = await db.fetch_in(tx, "SELECT id FROM privacy_export WHERE member_id = $1", source_id)
    await exports.drop(tx, [row["id"] for row in rows])


HOLDING = holds(
    Holding(
        name="privacy",
        title="授权与隐私",
        joined=("privacy_consent",),
        stays=("privacy_consent_change", "privacy_export", "privacy_erasure"),
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
                kept("proof of what was agreed to: version, day and place, of a number"),
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
                kept("proof that a wish to be erased was followed"),
                Shown(
                    title="注销申请",
                    columns={"asked_at": "时间", "state": "状态", "due_at": "生效时间", "given_up": "放弃的权益"},
                    key=("id",),
                ),
            ),
        ),
    )
)
