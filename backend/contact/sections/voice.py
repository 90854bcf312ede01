"""What the member was told, and what they told the chain."""

from __future__ import annotations

import asyncio

from backend.care import queries as care_queries
from backend.cases import queries as case_queries
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
    boxes = {box.id: box for box in await suggestion_queries.list_boxes(ask.staff_id)}
    found = (
        await suggestion_queries.list_of_member(ask.member.id, before=None, limit=SUGGESTIONS, box_ids=[*boxes])
        if boxes
        else []
    )
    return SuggestionsGlance(
        [
            SuggestionGlance(one.id, one.box_id, boxes[one.box_id].title, one.at, one.state, words[:WORDS])
            for one, words in found
            if one.at is not None
        ]
    )


async def cases(ask: Ask) -> CasesGlance:
    """What the member complained of, praised, asked: of the viewer's store, or of all."""
    count, found = await asyncio.gather(
        case_queries.count_open(ask.member.id, ask.store_id),
        case_queries.list_of_member(ask.member.id, limit=CASES, store_id=ask.store_id),
    )
    return CasesGlance(
        count,
        [CaseGlance(one.id, one.created_at, one.kind, one.state, one.due_at, one.excerpt[:WORDS]) for one in found],
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
    count, shown = await asyncio.gather(
        care_queries.count_open(ask.member.id, ask.store_id),
        care_queries.list_of_member(ask.member.id, ask.store_id, TASKS),
    )
    plans = {plan_id: await care_queries.find_plan(plan_id) for plan_id in {one.plan_id for one in shown}}
    return CareGlance(
        count,
        [
            CareTaskGlance(
                one.id, one.made_at, plan.title if (plan := plans[one.plan_id]) else "", one.state, one.due_on
            )
            for one in shown
        ],
    )
