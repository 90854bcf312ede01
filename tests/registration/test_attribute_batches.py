"""An attribute of all members of a filter, as a job; and audiences that ask for attributes."""

from __future__ import annotations

import pytest

from backend.audience import queries as audiences
from backend.audience.types import Audience
from backend.kernel import db
from backend.kernel.jobs import runner
from backend.members import queries
from backend.members.types import AttributeCondition
from backend.registration.commands import batches
from tests.registration.test_batches import BATCHES, begin, people, small, these
from tests.support.attributes import CHOICES, define
from tests.support.staff import log_in

__all__ = ["small"]


async def values_of(phones, code):
    rows = await db.fetch(
        "SELECT member_id, text FROM member_value WHERE attribute = $1 AND member_id = ANY($2)",
        code,
        [phone.member_id for phone in phones],
    )
    return sorted(row["text"] for row in rows)


async def test_all_of_a_filter_get_a_value_once_and_each_history_says_so(client, chain, admin, settings, small):
    await define(admin, "batch_city", type="choice", options=CHOICES)
    phones = await people(client, 3)
    await phones[0].call("POST", "/v1/member/profile", {"attributes": {"batch_city": "sh"}})
    body = {
        "kind": "attribute",
        "change": {"code": "batch_city", "value": "sh"},
        "reason": "换城市",
        "audience": these(phones),
    }

    made = await begin(admin, body)
    await batches.run(made.json()["id"], most=1)  # and here the worker dies
    gone = await begin(admin, body | {"audience": these(await people(client, 1))})
    gone_id = await db.fetchval(
        "UPDATE member SET status = 'erased' WHERE id ="
        " (SELECT member_id FROM registration_batch_row WHERE batch_id = $1) RETURNING id",
        gone.json()["id"],
    )
    await runner.run_waiting(settings)

    noted = "SELECT count(*) FROM member_change WHERE field = 'attributes.batch_city' AND member_id = ANY($1)"
    assert await db.fetchval(noted, [phone.member_id for phone in phones]) == 3
    assert (await admin.get(f"{BATCHES}/{gone.json()['id']}")).json()["results"] == {"gone": 1}
    assert await db.fetchval("SELECT attributes::text FROM member WHERE id = $1", gone_id) == "{}"
    assert made.json()["title"] == "设定扩展属性（batch_city：sh）"
    done = (await admin.get(f"{BATCHES}/{made.json()['id']}")).json()
    assert (done["state"], done["results"]) == ("done", {"changed": 2, "unchanged": 1})
    assert await values_of(phones, "batch_city") == ["sh"] * 3
    (last,) = await queries.list_changes(phones[1].member_id, before=None, limit=1)
    assert (last.field, last.after, last.by.kind, last.reason) == (
        "attributes.batch_city",
        "sh",
        "staff",
        "换城市",
    )
    meant = Audience(
        member_nos=tuple(phone.member["member_no"] for phone in phones),
        attributes=(AttributeCondition(code="batch_city", any_of=("sh",)),),
    )
    assert await audiences.count(meant) == 3
    cleared = await begin(admin, body | {"change": {"code": "batch_city", "value": None}})
    await runner.run_waiting(settings)
    assert (await admin.get(f"{BATCHES}/{cleared.json()['id']}")).json()["results"] == {"changed": 3}
    assert await audiences.list_members(meant, after=0, limit=9) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"code": "none", "value": "x"}, "/change/code"),
        ({"code": "b_office", "value": "x"}, "/change/code"),
        ({"code": "b_city", "value": "xx"}, "/change/value"),
        ({"code": "b_city", "value": 1}, "/change/value"),
        ({"code": "b_must", "value": None}, "/change/value"),
        ({"code": "b_theirs", "value": "x"}, "/change/code"),
    ],
)
async def test_what_cannot_be_set_is_refused_by_name(client, chain, admin, change, pointer):
    await define(admin, "b_city", type="choice", options=CHOICES)
    await define(admin, "b_office", seen_by=["office"], edited_by=["office"])
    await define(admin, "b_must", required=True, edited_by=["store", "office"])
    await define(admin, "b_theirs", edited_by=["member"])
    manager = await log_in(client, chain, "manager-S1")

    refused = await begin(manager, {"kind": "attribute", "change": change, "reason": "x", "audience": {}})

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_an_audience_names_only_attributes_that_its_maker_sees(client, chain, admin):
    await define(admin, "b_hidden", seen_by=["office"], edited_by=["office"])
    await define(admin, "b_guarded", see_permission="contact.full")
    manager = await log_in(client, chain, "manager-S1")
    body = {"kind": "freeze", "reason": "x"}

    async def asked(who, code):
        audience = {"attributes": [{"code": code, "empty": False}]}
        answer = await who.post(f"{BATCHES}/preview", body | {"audience": audience})
        return answer.status_code, answer.json().get("errors", [{}])[0].get("pointer")

    assert await asked(admin, "b_hidden") == (200, None)
    assert await asked(manager, "b_hidden") == (422, "/audience/attributes/0/code")
    assert await asked(admin, "b_guarded") == (422, "/audience/attributes/0/code")
