"""What the member said and was told stands on the card, for those who may read it where it is kept."""

from __future__ import annotations

import pytest

from backend.kernel import db
from backend.messages.types import Letter
from tests.contact.conftest import join
from tests.support.care import born_today, run, started
from tests.support.cases import complain
from tests.support.chat import Customer, work_when_asked
from tests.support.messages import write
from tests.support.suggestions import hire, make_box, own_id, suggest, whisper
from tests.support.surveys import make_survey, no_other_survey, send

pytestmark = pytest.mark.usefixtures("no_other_survey")

__all__ = ["no_other_survey"]


async def card(staff, phone) -> dict:
    answer = await staff.get(f"/v1/admin/contacts/{phone.member_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_cases_letters_surveys_and_care_stand_on_the_card(admin, manager, clerk, phone):
    await join(phone, "S1")
    here = await complain(phone, "牛奶过期了", key="a", store_id="S1")
    there = await complain(phone, "排队太久", key="b", store_id="S2")
    await write(Letter(phone.member_id, "test.note", {"what": "取货"}, "1"))
    survey, secret = await make_survey(admin), await make_survey(admin, title="匿名的", anonymous=True)
    assert [(await send(phone, one)).status_code for one in (survey, secret)] == [201, 201]
    await born_today(phone)
    await started(admin, {"on": "birthday"}, how="call", title="打个电话")
    await run()

    of_office, of_manager, of_clerk = [await card(staff, phone) for staff in (admin, manager, clerk)]

    assert [one["partial"] for one in (of_office, of_manager, of_clerk)] == [[], [], []]
    assert {one["id"]: one["words"] for one in of_office["cases"]["items"]} == {
        here["id"]: "牛奶过期了",
        there["id"]: "排队太久",
    }
    assert of_office["cases"]["open"] == 2
    for card_of_store in (of_manager, of_clerk):
        assert [one["id"] for one in card_of_store["cases"]["items"]] == [here["id"]]
    assert [one["read"] for one in of_manager["letters"]["items"]] == [False] * of_manager["letters"]["unread"]
    assert "提醒" in [one["title"] for one in of_manager["letters"]["items"]]
    assert [one["id"] for one in of_office["surveys"]["items"]] == [survey["id"]]  # nobody tells of the other
    assert ("打个电话", "open") in [(one["title"], one["state"]) for one in of_clerk["care"]["items"]]
    assert of_clerk["care"]["open"] == len(of_clerk["care"]["items"])


async def test_suggestions_stand_there_for_who_administers_their_box_alone(admin, manager, phone):
    await join(phone, "S1")
    own, other = await make_box(admin, await own_id(manager)), await make_box(admin, await own_id(admin), title="总部")
    await suggest(phone, own, "早点开门", key="a")
    await suggest(phone, other, "灯太暗", key="b")
    await whisper(phone, own, "经理收回扣")

    of_office, of_manager = await card(admin, phone), await card(manager, phone)

    assert [(one["box"], one["words"]) for one in of_manager["suggestions"]["items"]] == [("食堂", "早点开门")]
    assert [(one["box"], one["words"]) for one in of_office["suggestions"]["items"]] == [("总部", "灯太暗")]


async def test_the_conversation_that_waits_stands_there(client, clerk, phone, settings):
    await join(phone, "S1")
    before = await card(clerk, phone)
    await Customer(client, phone.openid).write("转人工")
    await work_when_asked(settings)

    after = await card(clerk, phone)

    assert before["conversation"] is None
    assert (after["conversation"]["state"], after["conversation"]["unread"]) == ("waiting", 1)


async def test_what_is_open_is_counted_beyond_what_is_shown(admin, manager, phone):
    """Of a store with few and of a chain with many: the newest of each are shown, all that are open counted."""
    await join(phone, "S1")
    own = [await complain(phone, f"本店第 {n} 件", key=f"own-{n}", store_id="S1") for n in range(2)]
    for n in range(7):
        await complain(phone, f"别店第 {n} 件", key=f"far-{n}", store_id="S2")
    await db.pool().execute(TASKS, phone.member_id)

    of_office, of_manager = await card(admin, phone), await card(manager, phone)

    assert (of_office["cases"]["open"], len(of_office["cases"]["items"])) == (9, 5)
    assert of_manager["cases"]["open"] == 2
    assert {one["id"] for one in of_manager["cases"]["items"]} == {one["id"] for one in own}
    assert (of_office["care"]["open"], of_manager["care"]["open"]) == (8, 6)
    assert [len(one["care"]["items"]) for one in (of_office, of_manager)] == [5, 5]
    assert {one["state"] for one in of_office["care"]["items"]} == {"open"}


async def test_a_suggestion_to_a_viewer_s_box_is_found_behind_many_to_others(admin, manager, phone):
    await join(phone, "S1")
    own, other = await make_box(admin, await own_id(manager)), await make_box(admin, await own_id(admin), title="总部")
    await suggest(phone, own, "早点开门", key="first")
    for n in range(6):
        await suggest(phone, other, f"灯太暗 {n}", key=f"later-{n}")

    assert [one["words"] for one in (await card(manager, phone))["suggestions"]["items"]] == ["早点开门"]


async def test_what_a_role_may_not_read_where_it_is_kept_it_does_not_read_here(admin, office, chain, phone):
    """A role of the chain's own that finds members, and handles nothing but feedback."""
    await join(phone, "S1")
    case = await complain(phone, "牛奶过期了", store_id="S1")
    await write(Letter(phone.member_id, "test.note", {"what": "取货"}, "1"))
    await db.pool().execute(ROLE)
    _, finder = await hire(office, chain, admin, "finder", "finder", None)

    shown = await card(finder, phone)

    assert (shown["view"], shown["profile"]["name"], shown["partial"]) == ("clerk", "王小明", [])
    assert [one["id"] for one in shown["cases"]["items"]] == [case["id"]]
    gone = ["movements", "letters", "suggestions", "conversation", "surveys", "care"]
    assert shown["hidden"] == gone
    assert [shown[name] for name in gone] == [None] * 6


ROLE = """
INSERT INTO auth_role (code, title, scope, builtin, granted, withheld, version, changed_at)
VALUES ('finder', '查询员', 'office', false, '["contact.read", "cases.handle"]', '[]', 1, now())"""
TASKS = """
INSERT INTO care_task (id, plan_id, member_id, occasion, "on", how, state, store_id, made_at, made_on, due_on, judge_at)
SELECT left('x' || n || '-' || $1::bigint, 16), 'BIRTHDAY', $1::bigint, 'x' || n, 'birthday', 'call',
       CASE WHEN n <= 8 THEN 'open' ELSE 'held_out' END, CASE WHEN n <= 6 THEN 'S1' ELSE 'S2' END,
       now() + n * interval '1 s', current_date, current_date, now()
  FROM generate_series(1, 30) AS n"""
"""Six to-dos of S1, two of S2, and then many of whom nothing is to be done for."""
