"""How boxes and suggestions look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.auth import queries as auth
from backend.mall import queries as mall
from backend.members import queries as members

from . import figures, queries, rules
from .schemas import (
    AdministratorOut,
    BoxOut,
    InboxDetail,
    InboxItemOut,
    MessageOut,
    MonthOut,
    OpenBoxOut,
    PictureOut,
    SuggestionDetail,
    SuggestionOut,
    WriterOut,
)
from .types import Box, Message, Month, Suggestion, SuggestionState


async def staff_names() -> dict[int, str]:
    """Everybody's login name, by id; those who left too."""
    return {int(person.id): person.username for person in await auth.list_staff()}


def box(found: Box, staff_id: int, names: Mapping[int, str], waiting: Mapping[str, int]) -> BoxOut:
    """A box as that person of the staff sees it."""
    mine = staff_id in found.administrators
    return BoxOut(
        id=found.id,
        title=found.title,
        topic=found.topic,
        store_id=found.store_id,
        state=found.state,
        anonymous=found.anonymous,
        version=found.version,
        created_at=found.created_at,
        updated_at=found.updated_at,
        administrators=[AdministratorOut(str(one), names.get(one, "")) for one in found.administrators],
        mine=mine,
        waiting=waiting.get(found.id, 0) if mine else None,
    )


async def open_box(found: Box) -> OpenBoxOut:
    """A box as members see it."""
    store = await auth.find_store(found.store_id) if found.store_id else None
    return OpenBoxOut(found.id, found.title, found.topic, store.name if store else None, found.anonymous)


def suggestion(found: Suggestion, text: str, titles: Mapping[str, str]) -> SuggestionOut:
    """A suggestion in its writer's list; ``titles`` are the boxes' by id."""
    return SuggestionOut(
        id=found.id,
        box_id=found.box_id,
        box_title=titles.get(found.box_id, ""),
        state=found.state,
        day=found.day,
        at=found.at,
        excerpt=rules.excerpt(text),
        rating=found.rating,
    )


def inbox_item(found: Suggestion, text: str, titles: Mapping[str, str]) -> InboxItemOut:
    """A suggestion in its administrators' list."""
    return InboxItemOut(
        id=found.id,
        box_id=found.box_id,
        box_title=titles.get(found.box_id, ""),
        state=found.state,
        day=found.day,
        at=found.at,
        excerpt=rules.excerpt(text),
        rating=found.rating,
        anonymous=found.member_id is None,
        assigned_to=str(found.assigned_to) if found.assigned_to else None,
        unanswered=found.unanswered,
    )


def _messages(found: Suggestion, said: Sequence[Message], names: Mapping[int, str]) -> list[MessageOut]:
    return [
        MessageOut(
            author=one.author,
            text=one.text,
            pictures=[_picture(picture, named=found.member_id is not None) for picture in one.pictures],
            day=one.day,
            at=one.at,
            staff=names.get(one.staff_id) if one.staff_id else None,
        )
        for one in said
    ]


def _picture(picture_id: str, *, named: bool) -> PictureOut:
    if named:
        shown = mall.upload_address(picture_id)
        return PictureOut(shown.url, shown.small_url)
    return PictureOut(*queries.PICTURES.address(picture_id))


async def detail(found: Suggestion) -> SuggestionDetail:
    """A suggestion as its writer reads it."""
    kept = await queries.find_box(found.box_id)
    said = await queries.list_messages(found.id)
    return SuggestionDetail(
        id=found.id,
        box_title=kept.title if kept else "",
        state=found.state,
        day=found.day,
        at=found.at,
        messages=_messages(found, said, {}),
        rating=found.rating,
        rating_text=found.rating_text,
        may_add=rules.may_add(found),
    )


async def inbox_detail(found: Suggestion, kept: Box) -> InboxDetail:
    """A suggestion as its box's administrators read it."""
    said = await queries.list_messages(found.id)
    return InboxDetail(
        id=found.id,
        box_title=kept.title,
        state=found.state,
        day=found.day,
        at=found.at,
        messages=_messages(found, said, await staff_names()),
        rating=found.rating,
        rating_text=found.rating_text,
        may_add=rules.may_add(found),
        box_id=kept.id,
        anonymous=found.member_id is None,
        writer=await _writer(found.member_id) if found.member_id is not None else None,
        assigned_to=str(found.assigned_to) if found.assigned_to else None,
        answered_at=found.answered_at,
        closed_at=found.closed_at if found.state is SuggestionState.CLOSED else None,
        version=found.version,
    )


async def _writer(member_id: int) -> WriterOut:
    card = await members.get_card(member_id)
    return WriterOut(str(card.member_id), card.member_no, card.name_masked, card.level.name)


def month(found: Month, titles: Mapping[str, str]) -> MonthOut:
    """A box in a month."""
    return MonthOut(
        box_id=found.box_id,
        box_title=titles.get(found.box_id, ""),
        month=f"{found.month:%Y-%m}",
        received=found.received,
        anonymous=found.anonymous,
        answered=found.answered,
        closed=found.closed,
        rated=found.rated,
        rating=figures.average(found.rated, found.rating_sum),
        answer_days=found.answer_days,
    )
