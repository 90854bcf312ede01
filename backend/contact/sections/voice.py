"""What the member was told, and what they told the chain."""

from __future__ import annotations

import asyncio

from backend.care import queries as care_queries
from backend.care.types import TaskState
from backend.cases import queries as case_queries
from backend.cases.types import CaseState
from backend.conversations import queries as conversations
from backend.messages import queries as messages
from backend.suggestions import queries as suggestion_queries
from backend.surveys import queries as survey_queries

from ..schemas import (
    CareGlance,
    CareTaskGlance,
    CaseGlance,
    CasesGlance,
    ConversationGlance,
    LetterGlance,
    LettersGlance,
    SuggestionGlance,
    SuggestionsGlance,
    SurveyGlance,
    SurveysGlance,
)
from ..types import Ask

LETTERS = 5
SUGGESTIONS = 5
CASES = 5
SURVEYS = 5
TASKS = 5
READ = 20
"""Of a member's cases and tasks: those that are looked through for what the viewer sees."""

WORDS = 60


async def letters(ask: Ask) -> LettersGlance:
    """The inbox, as the member sees it."""
    unread, found = await asyncio.gather(
        messages.count_unread(ask.member.id), messages.list_inbox(ask.member.id, before=None, limit=LETTERS)
    )
    return LettersGlance(
        unread, [LetterGlance(one.id, one.at, one.purpose, one.title, one.read_at is not None) for one in found]
    )


async def suggestions(ask: Ask) -> SuggestionsGlance:
    """What the member wrote under their own name, in boxes that the viewer administers: nobody else reads them."""
    own, found = await asyncio.gather(
        suggestion_queries.list_boxes(ask.staff_id),
        suggestion_queries.list_of_member(ask.member.id, before=None, limit=SUGGESTIONS),
    )
    boxes = {box.id: box for box in own}
    return SuggestionsGlance(
        [
            SuggestionGlance(one.id, one.box_id, boxes[one.box_id].title, one.at, one.state, words[:WORDS])
            for one, words in found
            if one.box_id in boxes and one.at is not None
        ]
    )


async def cases(ask: Ask) -> CasesGlance:
    """What the member complained of, praised, asked: of the viewer's store, or of all."""
    found = await case_queries.list_of_member(ask.member.id, limit=READ)
    seen = [one for one in found if ask.store_id is None or one.store_id == ask.store_id]
    return CasesGlance(
        sum(one.state is not CaseState.CLOSED for one in seen),
        [
            CaseGlance(one.id, one.created_at, one.kind, one.state, one.due_at, one.excerpt[:WORDS])
            for one in seen[:CASES]
        ],
    )


async def conversation(ask: Ask) -> ConversationGlance | None:
    """The conversation that the member had last with customer service; None for none."""
    found = await conversations.find_of_member(ask.member.id)
    return ConversationGlance(str(found.id), found.state, found.last_at, found.unread) if found else None


async def surveys(ask: Ask) -> SurveysGlance:
    """The surveys that the member answered under their name; not what they answered."""
    found = await survey_queries.list_taken(ask.member.id, SURVEYS)
    return SurveysGlance([SurveyGlance(one.survey_id, one.title, one.answered_on) for one in found])


async def care(ask: Ask) -> CareGlance:
    """What is to be done for the member, and what was done last; who is held out to compare with is not told apart."""
    wanted = care_queries.Wanted(today=ask.on, store_id=ask.store_id, member_id=ask.member.id)
    found = await care_queries.list_tasks(wanted, after=None, limit=READ)
    shown = [one for one in found if one.state is not TaskState.HELD_OUT][:TASKS]
    plans = {plan_id: await care_queries.find_plan(plan_id) for plan_id in {one.plan_id for one in shown}}
    return CareGlance(
        sum(one.state is TaskState.OPEN for one in shown),
        [
            CareTaskGlance(
                one.id, one.made_at, plan.title if (plan := plans[one.plan_id]) else "", one.state, one.due_on
            )
            for one in shown
        ],
    )
