"""Whose code it is, with their card and what they hold: one query for many tills, and everybody's own answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from backend.auth import queries as auth
from backend.kernel import clock
from backend.members import queries as members
from tests.support.members import register
from tests.support.value import give


async def test_many_at_once_each_get_their_own_whatever_shares_their_query(client):
    """The same handle twice, two phones of one member, several days, and a handle that is nobody's."""
    people = [await register(client) for _ in range(4)]
    for number, person in enumerate(people):
        await give(person.member_id, principal=1_000 + number, points=1 + number)
    first_phone = people[0].device["handle"]
    await people[0].enrol("another phone")
    today = clock.local_date(clock.now(), "Asia/Shanghai")
    days = [today, today - timedelta(days=1), today + timedelta(days=1)]
    handles = [*(person.device["handle"] for person in people), first_phone, first_phone, "000000000"]
    asked = [(handle, day) for handle in handles for day in days]

    found = await asyncio.gather(*(members.find_cardholder(handle, day) for handle, day in asked))

    for (handle, day), answer in zip(asked, found, strict=True):
        device = await auth.find_handle(handle)
        expected = (device, await members.get_cardholder(device.member_id, day)) if device else None
        assert answer == expected
    assert [answer is None for answer in found] == [handle == "000000000" for handle, _ in asked]
    stored = {answer[0].member_id: answer[1].snapshot.spendable("stored") for answer in found if answer}
    assert stored == {person.member_id: 1_000 + number for number, person in enumerate(people)}
