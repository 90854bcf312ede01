"""What is held of a member here: answers that are not anonymous, and what they brought."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.members.holding import Holding, MovingTable, Shown, Table, holds, stripped

# What only one of both has answered is answered, and rewarded once: a draft or an invitation of the other is over.
_BEGUN = """
DELETE FROM survey_participation t USING survey_participation s
 WHERE t.member_id = $2 AND t.round = 1 AND t.done_on IS NULL
   AND s.member_id = $1 AND s.survey_id = t.survey_id AND s.round = 1 AND s.done_on IS NOT NULL"""
_MOVED = MovingTable("survey_participation", key=("survey_id",)).sql


async def _join(tx: Tx, source_id: int, target_id: int, at: datetime) -> None:
    for sql in (_BEGUN, _MOVED):
        await db.raw(tx).execute(sql, source_id, target_id)


HOLDING = holds(
    Holding(
        name="surveys",
        title="问卷",
        tables=(
            Table(
                "survey_answer",
                stripped(
                    "choices are counted in the results; what was written is gone", given="'{}'", member_id="NULL"
                ),
                Shown(
                    title="问卷回答",
                    columns={"on": "日期", "survey_id": "问卷", "given": "回答", "score": "得分"},
                    key=("survey_id", "id"),
                ),
            ),
            Table(
                "survey_participation",
                stripped(
                    "that a number took part, and was rewarded once",
                    saved="NULL",
                    answer_id="NULL",
                    outcome="CASE WHEN paid THEN outcome END",
                ),
                Shown(
                    title="参加的问卷",
                    columns={
                        "survey_id": "问卷",
                        "invited_at": "邀请时间",
                        "done_on": "完成",
                        "outcome": "奖励",
                        "saved": "草稿",
                    },
                    key=("survey_id", "round"),
                ),
            ),
        ),
        moves=(MovingTable("survey_answer", key=("survey_id",)),),
        joined=("survey_participation",),
        merge=_join,
    )
)
