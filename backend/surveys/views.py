"""Surveys as staff and members see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from .rules import answering
from .schemas.admin import ProjectOut, QuotaOut, SurveyOut, SurveyRow
from .schemas.phone import (
    GainOut,
    MySurveyOut,
    MySurveyRow,
    PrizeOut,
    RewardOut,
    RightOut,
    SavedOut,
    SentOut,
    Standing,
    WonOut,
)
from .types import Content, Given, Outcome, Participation, Project, Reveal, Reward, Survey, SurveyState

Titles = Mapping[str, str]
"""What coupon templates are called, by id."""


def project(found: Project) -> ProjectOut:
    """A project as staff see it."""
    return ProjectOut(**msgspec.structs.asdict(found))


def row(survey: Survey, answers: int | None) -> SurveyRow:
    """A survey in the staff's list."""
    return SurveyRow(**_head(survey, answers))


def _head(survey: Survey, answers: int | None) -> dict[str, Any]:
    terms = survey.terms
    return {
        "id": survey.id,
        "project_id": survey.project_id,
        "title": terms.title,
        "state": survey.state,
        "anonymous": terms.anonymous,
        "version": survey.version,
        "answers": answers,
        "opens_at": terms.opens_at,
        "closes_at": terms.closes_at,
        "created_at": survey.created_at,
        "updated_at": survey.updated_at,
        "published_at": survey.published_at,
    }


def detail(
    survey: Survey, draft: Content, published: Content | None, taken: Sequence[QuotaOut], answers: int | None
) -> SurveyOut:
    """A survey as staff see it."""
    terms = survey.terms
    return SurveyOut(
        **_head(survey, answers),
        audience=terms.audience,
        after_sale=terms.after_sale,
        total=terms.total,
        quotas=list(terms.quotas),
        taken=list(taken),
        reward=terms.reward,
        content=draft,
        changed=draft != published,
    )


# -- members


def mine(
    survey: Survey, part: Participation, content: Content, titles: Titles, *, full: bool, now: datetime
) -> MySurveyRow:
    """A survey in a member's list."""
    return MySurveyRow(**_mine(survey, part, content, titles, full=full, now=now))


def _mine(
    survey: Survey, part: Participation, content: Content, titles: Titles, *, full: bool, now: datetime
) -> dict[str, Any]:
    terms = survey.terms
    ends = [at for at in (terms.closes_at, part.invited_until) if at is not None]
    return {
        "id": survey.id,
        "title": terms.title,
        "intro": content.intro,
        "anonymous": terms.anonymous,
        "standing": standing(survey, part, full=full, now=now),
        "pages": len(content.pages),
        "page": min(part.page, len(content.pages) - 1),
        "reward": promised(terms.reward, titles) if part.round == 1 else None,
        "until": min(ends, default=None),
        "answered_on": part.done_on,
        "gain": gain(part.outcome, part.paid, titles),
    }


def mine_whole(
    survey: Survey, part: Participation, content: Content, titles: Titles, *, full: bool, now: datetime
) -> MySurveyOut:
    """A survey to be answered: without right answers, with what fits of what was saved."""
    saved = SavedOut(
        version=survey.version,
        revision=part.revision,
        page=min(part.page, len(content.pages) - 1),
        answers=list(answering.fitting(content, part.saved)),
    )
    fields = _mine(survey, part, content, titles, full=full, now=now)
    asked = _asked(content) if survey.has_begun(now) else Content(intro=content.intro)
    return MySurveyOut(**fields, version=survey.version, content=asked, saved=saved)


def _asked(content: Content) -> Content:
    """The content without what is right, and without the words for afterwards."""
    pages = tuple(
        msgspec.structs.replace(
            page, questions=tuple(msgspec.structs.replace(question, reference=None) for question in page.questions)
        )
        for page in content.pages
    )
    return msgspec.structs.replace(content, pages=pages, thanks="")


def standing(survey: Survey, part: Participation, *, full: bool, now: datetime) -> Standing:
    """How the survey stands for this member."""
    if part.done:
        return "done"
    if survey.state is SurveyState.CLOSED or survey.is_over(now):
        return "closed"
    if survey.state is SurveyState.PAUSED:
        return "paused"
    if not survey.has_begun(now):
        return "not_yet"
    if full:
        return "full"
    return "begun" if part.saved else "open"


def promised(reward: Reward | None, titles: Titles) -> RewardOut | None:
    """What an answer is promised."""
    if reward is None:
        return None
    return RewardOut(
        points=reward.points,
        coupon=titles.get(reward.template_id) if reward.template_id else None,
        prizes=[PrizeOut(prize.title, prize.chance_bp) for prize in reward.prizes],
    )


def gain(outcome: Outcome | None, paid: bool, titles: Titles) -> GainOut | None:
    """What was given for an answer."""
    if outcome is None:
        return None
    return GainOut(
        prize=outcome.title or None,
        points=outcome.points,
        coupon=titles.get(outcome.template_id) if outcome.template_id else None,
        coupon_ids=list(outcome.coupon_ids),
        paid=paid,
    )


def sent(part: Participation, content: Content, given: Sequence[Given], titles: Titles) -> SentOut:
    """An answer that was sent, with what the survey tells of it."""
    assert part.done_on is not None
    scored = answering.score(content, given) if content.reveal is not Reveal.NOTHING else None
    return SentOut(
        thanks=content.thanks,
        answered_on=part.done_on,
        score=scored[0] if scored else None,
        score_of=scored[1] if scored else None,
        rights=_rights(content, given) if content.reveal is Reveal.ANSWERS else [],
        won=_won(part.outcome, titles),
    )


def _won(outcome: Outcome | None, titles: Titles) -> WonOut | None:
    if outcome is None:
        return None
    coupon = titles.get(outcome.template_id) if outcome.template_id else None
    return WonOut(outcome.title or None, outcome.points, coupon)


def _rights(content: Content, given: Sequence[Given]) -> list[RightOut]:
    by_id = {answer.question: answer for answer in given}
    return [
        RightOut(
            question.id,
            answering.is_right(question.reference, by_id[question.id]),
            list(question.reference.choices),
            list(question.reference.texts),
            question.reference.at_least,
            question.reference.at_most,
            question.reference.note,
        )
        for question in content.questions
        if question.reference is not None and question.id in by_id
    ]
