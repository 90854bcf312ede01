"""Three surveys as a neighbourhood shop runs them, and what some members have answered in the last weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from backend.kernel import clock, db
from backend.kernel.db import Record
from backend.surveys import locks, queries, service
from backend.surveys.commands import answering, composing, rewards
from backend.surveys.schemas.admin import ProjectIn
from backend.surveys.service import Said
from backend.surveys.types import (
    AfterSale,
    Content,
    Given,
    Medium,
    Prize,
    Quota,
    Reward,
    Survey,
    Terms,
)

PROJECT = "ODEMOSERVICE"
VISIT, TEA, AFTER = "NDEMOVISIT", "NDEMOTEA", "NDEMOAFTER"
WEEKS = 10
VISITORS, TASTERS, BUYERS = 260, 60, 40


def _options(**texts: str) -> list[dict[str, Any]]:
    return [{"id": id_, "text": text} for id_, text in texts.items()]


_CONTENTS: dict[str, dict[str, Any]] = {
    VISIT: {
        "intro": "感谢光临。只要一分钟，帮我们做得更好。",
        "thanks": "您的意见我们每周都会看。",
        "pages": [
            {
                "title": "这次购物",
                "questions": [
                    {
                        "id": "overall",
                        "kind": "rating",
                        "title": "您对这次购物满意吗",
                        "jumps": [{"to": "parts", "at_least": 4}],
                    },
                    {
                        "id": "why",
                        "kind": "multiple",
                        "title": "哪里让您不满意",
                        "options": [
                            *_options(queue="排队太久", goods="商品不新鲜", staff="店员态度"),
                            {"id": "other", "text": "其他", "free": True},
                        ],
                    },
                ],
            },
            {
                "title": "店里",
                "questions": [
                    {
                        "id": "parts",
                        "kind": "matrix",
                        "title": "请评价",
                        "rows": _options(staff="店员服务", clean="环境整洁", goods="商品丰富"),
                        "options": _options(good="好", fair="一般", poor="差"),
                    },
                    {
                        "id": "often",
                        "kind": "single",
                        "title": "您多久来一次",
                        "options": _options(daily="几乎每天", weekly="每周", monthly="每月", seldom="偶尔"),
                    },
                ],
            },
            {
                "questions": [
                    {"id": "nps", "kind": "nps", "title": "您愿意把我们推荐给朋友吗"},
                    {"id": "words", "kind": "text", "title": "还想对我们说什么", "required": False, "at_most": 300},
                ]
            },
        ],
    },
    TEA: {
        "intro": "三道小题，答完可抽奖。",
        "thanks": "新茶四月上市，店里见。",
        "reveal": "answers",
        "pages": [
            {
                "questions": [
                    {
                        "id": "when",
                        "kind": "single",
                        "title": "明前茶是什么时候采的",
                        "options": _options(qingming="清明前", guyu="谷雨前", lixia="立夏前"),
                        "reference": {"choices": ["qingming"], "note": "清明前采的嫩芽，产量少。"},
                    },
                    {
                        "id": "degrees",
                        "kind": "number",
                        "title": "泡绿茶，水温多少度合适",
                        "at_least": 0,
                        "at_most": 100,
                        "reference": {"at_least": 75, "at_most": 85, "note": "八十度左右，水太烫会苦。"},
                    },
                ]
            },
            {
                "questions": [
                    {"id": "price", "kind": "number", "title": "一罐新茶多少元您会买", "at_least": 10, "at_most": 500}
                ]
            },
        ],
    },
    AFTER: {
        "intro": "您刚在我们店里买过东西，想听听您的感受。",
        "thanks": "谢谢，欢迎再来。",
        "pages": [
            {
                "questions": [
                    {"id": "fresh", "kind": "rating", "title": "买到的东西新鲜吗"},
                    {"id": "again", "kind": "nps", "title": "您还会再来吗", "low": "不会", "high": "一定会"},
                ]
            }
        ],
    },
}

_TERMS = {
    VISIT: Terms(title="到店体验", anonymous=True, total=5_000),
    TEA: Terms(
        title="春茶小测验",
        quotas=(Quota(limit=500, level="gold"),),
        reward=Reward(
            prizes=(
                Prize(title="满 100 减 20 券", chance_bp=500, stock=30, template_id="TDEMO100OFF20"),
                Prize(title="50 积分", chance_bp=2_500, stock=300, points=50),
                Prize(title="10 积分", chance_bp=7_000, points=10),
            )
        ),
    ),
    AFTER: Terms(title="购后回访", after_sale=AfterSale(within_days=7, every_days=60), reward=Reward(points=20)),
}


async def load() -> None:
    """Publish the surveys, and let members answer: on paper too, and over the last weeks."""
    now, dice = clock.now(), Random("surveys")  # noqa: S311 - the same demo every time
    async with db.transaction() as tx:
        await composing.write_project(tx, PROJECT, ProjectIn(name="服务质量 2026", note="总部客服部"), now)
        for survey_id, terms in _TERMS.items():
            content = msgspec.convert(_CONTENTS[survey_id], Content)
            await composing.write(tx, survey_id, PROJECT, terms, content, now)
    for survey_id in _TERMS:
        await composing.publish(survey_id, 0)
    people = await db.fetch("SELECT id, store_id, level_id FROM member ORDER BY created_at, id")
    staff = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'manager1'")
    await _answer(VISIT, people[::3][:VISITORS], dice, now, staff)
    await _answer(TEA, people[1::7][:TASTERS], dice, now, staff)
    await _answer(AFTER, people[2::11][:BUYERS], dice, now, staff)
    await rewards.pay_due()


async def _answer(survey_id: str, people: Sequence[Record], dice: Random, now: datetime, staff: int) -> None:
    content = await queries.get_version(survey_id, 1)
    async with db.transaction() as tx:
        survey = await locks.lock_survey(tx, survey_id)
        for number, person in enumerate(people):
            at = now - timedelta(days=7 * WEEKS * (1 - (number + 1) / len(people)) ** 1.3, hours=dice.random() * 10)
            on_paper = survey.terms.anonymous and number % 13 == 0
            said = Said(
                1,
                _given(survey_id, dice, happy=person["store_id"] != "S002" or dice.random() < 0.6),
                Medium.PAPER if on_paper else Medium.PHONE,
                None if on_paper else person["id"],
                person["store_id"],
                person["level_id"],
                entered_by=staff if on_paper else None,
            )
            answer_id = await service.store(tx, survey, content, said, at)
            if not on_paper:
                await _take_part(tx, survey, person["id"], answer_id, at)


async def _take_part(tx: db.Tx, survey: Survey, member_id: int, answer_id: int, at: datetime) -> None:
    participation = await locks.lock_participation(tx, survey.id, member_id)
    await answering.finish(tx, survey, participation, answer_id, version=1, now=at)


def _given(survey_id: str, dice: Random, *, happy: bool) -> list[Given]:
    if survey_id == TEA:
        degrees = Given(question="degrees", number=float(dice.choice((60, 75, 80, 80, 85, 90, 100))))
        when = Given(question="when", choices=(dice.choice(("qingming", "qingming", "guyu", "lixia")),))
        return [when, degrees, Given(question="price", number=float(dice.choice((38, 58, 68, 88, 98, 128, 168))))]
    stars = dice.choice((4, 5, 5, 5)) if happy else dice.choice((1, 2, 3, 3, 4))
    nps = min(max(stars * 2 + dice.choice((-1, 0, 0, 1)), 0), 10)
    if survey_id == AFTER:
        return [Given(question="fresh", number=float(stars)), Given(question="again", number=float(nps))]
    given = [Given(question="overall", number=float(stars))]
    if stars < 4:
        given.append(Given(question="why", choices=(dice.choice(("queue", "queue", "goods", "staff")),)))
    mood = ("good", "good", "fair") if stars >= 4 else ("fair", "poor", "poor")
    given.append(Given(question="parts", cells={row: dice.choice(mood) for row in ("staff", "clean", "goods")}))
    given.append(Given(question="often", choices=(dice.choice(("daily", "weekly", "weekly", "monthly", "seldom")),)))
    given.append(Given(question="nps", number=float(nps)))
    if dice.random() < 0.2:
        given.append(Given(question="words", text="继续加油" if happy else "收银台请多开一个"))
    return given
