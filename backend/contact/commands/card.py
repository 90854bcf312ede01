"""Reading a card: its sections at the same time, a few at once, and none waits for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from backend.auth import queries as auth
from backend.kernel import logging
from backend.kernel.tasks import end
from backend.members import queries as members
from backend.members.types import Member, Reach

from .. import rules
from ..schemas import ContactOut, NextLevelGlance, ProfileGlance
from ..sections import SECTIONS, Section
from ..types import Ask, By, View

AT_ONCE = 4
"""Sections that are read at the same time: each takes a connection of the pool that everybody reads with."""

PATIENCE_S = 0.5

log = logging.get(__name__)


async def read(ask: Ask, by: By, sections: Sequence[Section] = SECTIONS) -> ContactOut:
    """The card as this view has it; what fails, or takes longer than half a second, is named in ``partial``."""
    seen = [section for section in sections if section.is_for(ask)]
    parts, partial = await _read_all(ask, seen)
    return ContactOut(
        view=ask.view,
        found_by=by,
        profile=await _profile(ask),
        partial=partial,
        hidden=[section.code for section in sections if section not in seen],
        **parts,
    )


async def _read_all(ask: Ask, sections: Sequence[Section]) -> tuple[dict[str, Any], list[str]]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(section: Section) -> Any:
        async with gate:
            return await section.read(ask)

    tasks = {section.code: asyncio.create_task(one(section)) for section in sections}
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=PATIENCE_S)
        late = {code for code, task in tasks.items() if not task.done()}
    finally:
        await end(*tasks.values())
    parts: dict[str, Any] = {}
    for code, task in tasks.items():
        error = None if code in late else task.exception()
        if code in late or error is not None:
            log.warning("contact.section_missing", section=code, error=type(error).__name__ if error else "late")
        else:
            parts[code] = task.result()
    return parts, [code for code in tasks if code not in parts]


async def _profile(ask: Ask) -> ProfileGlance:
    """Who it is: a guest only by a masked name and the level; a clerk sees no year of birth and no attributes."""
    member, view = ask.member, ask.view
    profile = ProfileGlance(
        id=str(member.id),
        name=(await members.get_card(member.id)).name_masked if view is View.GUEST else member.name,
        status=member.status,
        level_code=member.level.code,
        level_name=member.level.name,
        discount_bp=member.level.discount_bp,
    )
    if view is View.GUEST:
        return profile
    store = await auth.find_store(member.store_id) if member.store_id else None
    profile.member_no, profile.phone_masked, profile.gender = member.member_no, member.phone_masked, member.gender
    profile.store_id, profile.store_name = member.store_id, store.name if store else None
    profile.joined_at = member.created_at
    state = await members.get_level_state(member.id)
    profile.stage, profile.stage_since = state.stage, state.stage_since
    profile.next_level = await _next_level(member)
    if member.birthday is not None:
        profile.birthday_day = f"{member.birthday:%m-%d}"
        profile.days_to_birthday = _days_to(member.birthday, ask.on)
    if view is not View.CLERK:
        reach = Reach.OFFICE if view is View.CHAIN else Reach.STORE
        profile.birthday = member.birthday
        profile.attributes = await members.shown_to(member.attributes, reach, ask.may)
        profile.attribute_words = await members.worded(profile.attributes)
        profile.growth_fen = member.growth_fen
    return profile


async def _next_level(member: Member) -> NextLevelGlance | None:
    found = rules.progress(member.growth_fen, member.level, list((await members.levels()).values()))
    return NextLevelGlance(found[0].name, found[1], found[2]) if found else None


def _days_to(birthday: date, on: date) -> int:
    """Days to the next birthday, 0 on it; who was born on 29 February has it on the 28th in other years."""
    for year in (on.year, on.year + 1):
        try:
            day = birthday.replace(year=year)
        except ValueError:
            day = date(year, 2, 28)
        if day >= on:
            return (day - on).days
    raise AssertionError("a year has a birthday")
