"""Head office composes: drafts, what can be published, versions, and what stays as it was promised."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from backend.kernel import db
from tests.support.books import fingerprint
from tests.support.coupons import make_template
from tests.support.stamps import GIFT
from tests.support.surveys import MINE, NPS, SURVEYS, TASTE, WHY, make_project, make_survey, move, pages, send, taste

pytestmark = pytest.mark.usefixtures("books")

AT = "/content/pages/0/questions/0"
SECOND = "/content/pages/1/questions/0"
UNPUBLISHABLE = {
    "no question": ([], "/content/pages"),
    "one id twice": ([TASTE, TASTE], "/content/pages"),
    "one option": ([TASTE | {"options": TASTE["options"][:1]}], f"{AT}/options"),
    "options of a text": ([WHY | {"options": TASTE["options"]}], f"{AT}/options"),
    "a matrix without rows": ([TASTE | {"kind": "matrix"}], f"{AT}/rows"),
    "least above most": (
        [{"id": "n", "kind": "number", "title": "几个", "at_least": 3, "at_most": 2}],
        f"{AT}/at_least",
    ),
    "a rating to 100": ([{"id": "n", "kind": "rating", "title": "几星", "at_most": 100}], f"{AT}/at_most"),
    "a jump back": ([TASTE, NPS | {"jumps": [{"to": "taste"}]}], f"{SECOND}/jumps/0/to"),
    "a jump to itself": ([NPS | {"jumps": [{"to": "nps"}]}], f"{AT}/jumps/0/to"),
    "a jump to nothing": ([NPS | {"jumps": [{"to": "nowhere"}]}], f"{AT}/jumps/0/to"),
    "a jump by an option of nobody's": (
        [TASTE | {"jumps": [{"to": "end", "any_of": ["worse"]}]}],
        f"{AT}/jumps/0/any_of",
    ),
    "a jump by a number of a choice": ([TASTE | {"jumps": [{"to": "end", "at_least": 1}]}], f"{AT}/jumps/0/at_least"),
    "never shown": ([TASTE | {"jumps": [{"to": "end"}]}, NPS], SECOND),
    "jumped over by every option": (
        [TASTE | {"jumps": [{"to": "end", "any_of": ["good", "bad"]}, {"to": "end", "any_of": ["other"]}]}, NPS],
        SECOND,
    ),
    "a right answer of nobody's": ([TASTE | {"reference": {"choices": ["worse"]}}], f"{AT}/reference/choices"),
    "a right text of a choice": ([TASTE | {"reference": {"texts": ["x"]}}], f"{AT}/reference"),
}


async def test_what_does_not_hold_together_is_not_published_and_every_flaw_is_named(admin, settings):
    drafts = {}
    for name, (questions, _) in UNPUBLISHABLE.items():
        drafts[name] = await make_survey(admin, content=pages(*questions), published=False)
    before = await fingerprint(settings)

    refused = {name: await admin.post(f"{SURVEYS}/{survey['id']}/publish") for name, survey in drafts.items()}

    told = {
        name: (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["pointer"])
        for name, answer in refused.items()
    }
    assert told == {name: (422, "survey_not_publishable", at) for name, (_, at) in UNPUBLISHABLE.items()}
    assert await fingerprint(settings) == before


BAD_TERMS: dict[str, dict[str, Any]] = {
    "/project_id": {"project_id": "O000000000000"},
    "/audience/levels/0": {"audience": {"levels": ["platinum"]}},
    "/quotas/0/level": {"quotas": [{"limit": 1, "level": "platinum"}]},
    "/quotas/0": {"quotas": [{"limit": 1}]},
    "/quotas": {"quotas": [{"limit": 1, "level": "basic"}, {"limit": 2, "level": "basic"}]},
    "/reward": {"reward": {"points": 1, "template_id": "T"}},
    "/reward/prizes/0": {"reward": {"prizes": [{"title": "x", "chance_bp": 10_000}]}},
    "/reward/prizes": {"reward": {"prizes": [{"title": "x", "chance_bp": 9_999, "points": 1}]}},
    "/after_sale/store_ids/0": {"after_sale": {"store_ids": ["S9"]}},
    "/closes_at": {"opens_at": "2027-01-02T00:00:00Z", "closes_at": "2027-01-01T00:00:00Z"},
}


async def test_terms_that_name_nothing_or_contradict_themselves_are_refused(admin, settings):
    good = {"project_id": await make_project(admin), "title": "x", "content": pages(TASTE)}
    before = await fingerprint(settings)

    for pointer, wrong in BAD_TERMS.items():
        answer = await admin.post(SURVEYS, good | wrong)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)

    assert await fingerprint(settings) == before


async def test_a_prize_that_never_runs_out_is_needed_and_its_coupon_must_be_had(admin):
    scarce = [
        {"title": "一", "chance_bp": 5_000, "stock": 1, "points": 1},
        {"title": "二", "chance_bp": 5_000, "stock": 1, "points": 2},
    ]
    template = await make_template(admin, GIFT, claim_by="nobody", title="券")
    survey = await make_survey(admin, published=False, reward={"template_id": template["id"]})
    await admin.post(f"/v1/admin/coupons/templates/{template['id']}/pause")

    refused = await admin.post(
        SURVEYS, {"project_id": survey["project_id"], "title": "x", "reward": {"prizes": scarce}}
    )
    gone = await admin.post(f"{SURVEYS}/{survey['id']}/publish")

    assert refused.json()["errors"][0]["pointer"] == "/reward/prizes"
    assert gone.json()["errors"][0]["pointer"] == "/reward/template_id"


def body_of(survey, **changed):
    names = ("project_id", "title", "anonymous", "audience", "after_sale", "total", "quotas", "reward", "opens_at")
    return {name: survey[name] for name in (*names, "closes_at", "content")} | changed


async def test_a_published_version_stays_and_editing_makes_the_next(admin, phone):
    survey = await make_survey(admin)
    path = f"{SURVEYS}/{survey['id']}"

    again = await move(admin, survey["id"], "publish")
    drafted = (await admin.call("PUT", path, body_of(survey, content=pages(NPS)))).json()
    shown = (await phone.call("GET", f"{MINE}/{survey['id']}")).json()
    newer = await move(admin, survey["id"], "publish")
    first, second = [(await admin.get(f"{path}/versions/{number}")).json()["content"] for number in (1, 2)]

    assert (again["version"], newer["version"]) == (1, 2)
    assert (drafted["changed"], newer["changed"]) == (True, False)
    assert [len(content["pages"]) for content in (shown["content"], first, second)] == [2, 2, 1]
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.pool().execute("UPDATE survey_version SET content = '{}' WHERE survey_id = $1", survey["id"])
    actions = [item["action"] for item in (await admin.get(f"{path}/changes")).json()["items"]]
    assert actions == ["publish", "change", "publish", "create"]


async def test_an_id_keeps_its_kind_over_all_versions(admin):
    survey = await make_survey(admin)
    other = {"id": "taste", "kind": "text", "title": "味道如何"}
    await admin.call("PUT", f"{SURVEYS}/{survey['id']}", body_of(survey, content=pages(other)))

    refused = await admin.post(f"{SURVEYS}/{survey['id']}/publish")

    assert refused.json()["errors"][0]["pointer"] == f"{AT}/kind"


@pytest.mark.parametrize("promise", [{"anonymous": True}, {"reward": {"points": 2}}, {"after_sale": {}}])
async def test_what_members_were_promised_is_not_changed(admin, settings, promise):
    survey = await make_survey(admin, reward={"points": 1})
    before = await fingerprint(settings)

    refused = await admin.call("PUT", f"{SURVEYS}/{survey['id']}", body_of(survey, **promise))

    assert (refused.status_code, refused.json()["code"]) == (409, "survey_conflict")
    assert await fingerprint(settings) == before


async def test_a_quota_that_is_changed_counts_what_was_answered_before(admin, phone):
    survey = await make_survey(admin)
    await send(phone, survey, taste("bad"))
    quotas = [{"limit": 5, "question": "taste", "choice": "bad"}, {"limit": 7, "level": "basic"}]

    changed = await admin.call("PUT", f"{SURVEYS}/{survey['id']}", body_of(survey, total=3, quotas=quotas))

    assert changed.json()["taken"] == [
        {"key": "answer:taste:bad", "limit": 5, "taken": 1},
        {"key": "level:basic", "limit": 7, "taken": 1},
        {"key": "total", "limit": 3, "taken": 1},
    ]


async def test_a_change_does_not_write_over_another_s_that_was_not_read(admin, settings):
    survey = await make_survey(admin)
    path, read = f"{SURVEYS}/{survey['id']}", {"updated_at": survey["updated_at"]}

    first = await admin.call("PUT", path, body_of(survey, title="第一个人改的") | read)
    before = await fingerprint(settings)
    second = await admin.call("PUT", path, body_of(survey, title="第二个人改的") | read)

    assert (first.status_code, first.json()["title"]) == (200, "第一个人改的")
    assert (second.status_code, second.json()["code"]) == (409, "survey_conflict")
    assert await fingerprint(settings) == before
    again = await admin.call("PUT", path, body_of(survey) | {"updated_at": first.json()["updated_at"]})
    assert again.status_code == 200


async def test_a_closed_survey_is_over_for_good(admin):
    survey = await make_survey(admin)
    await move(admin, survey["id"], "close")

    for what in ("publish", "pause", "resume"):
        assert (await admin.post(f"{SURVEYS}/{survey['id']}/{what}")).json()["code"] == "survey_conflict"
    assert (await admin.call("PUT", f"{SURVEYS}/{survey['id']}", body_of(survey))).json()["code"] == "survey_conflict"
    assert (await move(admin, survey["id"], "close"))["state"] == "closed"


async def test_projects_keep_surveys_together(admin):
    survey = await make_survey(admin)
    project = survey["project_id"]

    await admin.call("PUT", f"{SURVEYS}/projects/{project}", {"name": "新名", "archived": True})
    listed = (await admin.get(f"{SURVEYS}?project_id={project}")).json()
    page = (await admin.get(f"{SURVEYS}/projects?limit=1")).json()

    assert [item["id"] for item in listed["items"]] == [survey["id"]]
    assert [(item["name"], item["archived"], item["surveys"]) for item in page["items"]] == [("新名", True, 1)]
    assert (await admin.get(f"{SURVEYS}/projects?limit=1&cursor={page['next_cursor']}")).json()["items"] != page[
        "items"
    ]
