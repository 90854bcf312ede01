"""What was typed or scanned, who sees how much, and how far a level is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from backend.auth.rules import held
from backend.auth.types import Permission, Role, StaffCaller
from backend.contact.commands.card import _days_to
from backend.contact.rules import progress, recognise, view_of
from backend.contact.types import By, View
from backend.members.types import Gender, Level, Member, Status

BASIC = Level("basic", "普通", 0, 10_000, 0)
GOLD = Level("gold", "金卡", 500, 15_000, 100_000)
MEMBER = Member(
    id=1, member_no="123456789012", name="王小明", phone_masked="139****0000", birthday=None, gender=Gender.UNKNOWN,
    store_id="S1", level=BASIC, status=Status.ACTIVE, growth_fen=25_000, attributes={},
    created_at=datetime(2026, 1, 1, tzinfo=UTC), pin_set=False, version=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("70123456789012345678", (By.CODE, "70123456789012345678")),
        ("7012 3456 7890 1234 5678", (By.CODE, "70123456789012345678")),
        ("13912345678", (By.PHONE, "13912345678")),
        ("+86 139-1234-5678", (By.PHONE, "13912345678")),
        ("008613912345678", (By.PHONE, "13912345678")),
        ("(139) 1234 5678", (By.PHONE, "13912345678")),
        ("123456789012", (By.MEMBER_NO, "123456789012")),
        (" oAbc_-1234567890 ", (By.OPENID, "oAbc_-1234567890")),
        ("12912345678", (By.OPENID, "12912345678")),
        ("王小明", None),
        ("o'; --", None),
        ("", None),
        ("71123456789012345678 x", None),
        ("a" * 65, None),
    ],
)
def test_what_was_typed_says_itself_what_it_is(text, found):
    assert recognise(text) == found


@pytest.mark.parametrize(
    ("role", "store", "of", "by", "view"),
    [
        (Role.ADMIN, None, "S1", By.PHONE, View.CHAIN),
        (Role.ADMIN, None, None, By.ID, View.CHAIN),
        (Role.MANAGER, "S1", "S1", By.PHONE, View.MANAGER),
        (Role.CLERK, "S1", "S1", By.MEMBER_NO, View.CLERK),
        (Role.MANAGER, "S1", "S2", By.PHONE, None),
        (Role.MANAGER, "S1", "S2", By.OPENID, None),
        (Role.CLERK, "S1", "S2", By.ID, None),
        (Role.MANAGER, "S1", "S2", By.CODE, View.GUEST),
        (Role.CLERK, "S1", None, By.CODE, View.GUEST),
        (Role.CLERK, "S1", None, By.PHONE, None),
    ],
)
def test_a_store_sees_its_own_members_and_who_shows_a_code(role, store, of, by, view):
    caller = StaffCaller(
        staff_id=1, session_id=1, role=role, store_id=store, permissions=held(role, store, (), ()), rate_key="",
        rate_per_minute=0,
    )  # fmt: skip

    assert view_of(caller, msgspec.structs.replace(MEMBER, store_id=of), by) == view


def test_head_office_sees_no_more_than_its_role_allows():
    caller = StaffCaller(
        staff_id=1, session_id=1, role="own", store_id=None, permissions=frozenset({Permission.CONTACT_READ}),
        rate_key="", rate_per_minute=0,
    )  # fmt: skip

    assert view_of(caller, MEMBER, By.PHONE) is View.CLERK


def test_the_way_to_the_next_level():
    assert progress(25_000, BASIC, [GOLD, BASIC]) == (GOLD, 75_000, 2_500)
    assert progress(200_000, BASIC, [BASIC, GOLD]) == (GOLD, 0, 10_000)  # reached, and not noticed yet
    assert progress(100_000, GOLD, [BASIC, GOLD]) is None


@pytest.mark.parametrize(
    ("birthday", "on", "days"),
    [
        (date(1990, 3, 1), date(2026, 3, 1), 0),
        (date(1990, 3, 1), date(2026, 2, 28), 1),
        (date(1990, 2, 28), date(2026, 3, 1), 364),
        (date(2000, 2, 29), date(2026, 2, 27), 1),
        (date(2000, 2, 29), date(2028, 2, 28), 1),
    ],
)
def test_days_to_a_birthday(birthday, on, days):
    assert _days_to(birthday, on) == days
