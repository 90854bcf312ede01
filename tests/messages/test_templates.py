"""Texts of letters: staff put theirs in a built-in's place, try them out, and go back."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db
from backend.messages.types import Channel, Letter
from tests.support.books import fingerprint
from tests.support.messages import inbox, work, write
from tests.support.staff import log_in

pytestmark = pytest.mark.usefixtures("chain", "no_other_letter")

TEMPLATES = "/v1/admin/message-templates"
OWN = {
    "code": "own.promo",
    "purpose": "marketing",
    "title": "{member_name}，好消息",
    "body": "满 {limit} 可用，{until} 前有效。",
    "channels": ["inbox", "sms"],
    "texts": {"sms": {"body": "满{limit}可用"}},
    "variables": [
        {"name": "limit", "kind": "money", "label": "门槛", "sample": "5000"},
        {"name": "until", "kind": "date"},
    ],
}
SHIPPED = {"title": "在路上", "body": "{member_name}，{no} 发出了。", "channels": ["inbox"]}


async def test_staff_put_another_text_in_a_built_ins_place_and_go_back(admin, phone, fake_channels):
    path = f"{TEMPLATES}/test.shipped"
    await write(Letter(phone.member_id, "test.shipped", {"no": "D1"}, "1"))

    written = await admin.post(f"{path}/versions", SHIPPED)
    await write(Letter(phone.member_id, "test.shipped", {"no": "D2"}, "2"))
    back = await admin.post(f"{path}/use", {"version": 0})
    await write(Letter(phone.member_id, "test.shipped", {"no": "D3"}, "3"))
    await work()

    assert (written.status_code, written.json()["version"], written.json()["builtin"]) == (201, 1, True)
    assert back.json()["version"] == 0
    assert [item["body"] for item in (await inbox(phone))["items"]] == [
        "D3 已发货。", "王小明，D2 发出了。", "D1 已发货。",
    ]  # fmt: skip
    assert sorted(given.body for given in fake_channels[Channel.SMS].given) == ["D1 已发货。", "D3 已发货。"]
    versions = (await admin.get(f"{path}/versions")).json()
    assert [(item["version"], item["title"]) for item in versions["items"]] == [(1, "在路上")]
    actions = [item["action"] for item in (await admin.get(f"{path}/changes")).json()["items"]]
    assert actions == ["use", "write"]


async def test_staffs_own_template_is_tried_out_and_not_made_twice(admin, phone):
    made = await admin.post(TEMPLATES, OWN)
    again = await admin.post(TEMPLATES, OWN)
    sample = await admin.post(f"{TEMPLATES}/own.promo/preview", {"values": {"until": "2026-12-01"}})
    real = await admin.post(
        f"{TEMPLATES}/own.promo/preview",
        {"member_no": phone.member["member_no"], "draft": {"title": "{level}", "body": "x", "channels": ["inbox"]}},
    )

    assert made.status_code == 201, made.text
    assert (again.status_code, again.json()["code"]) == (409, "message_template_conflict")
    assert [(item["channel"], item["title"], item["body"]) for item in sample.json()["items"]] == [
        ("inbox", "王小明，好消息", "满 ¥50.00 可用，2026-12-01 前有效。"),
        ("sms", "王小明，好消息", "满¥50.00可用"),
    ]
    assert sample.json()["items"][1]["characters"] == 9
    assert [item["title"] for item in real.json()["items"]] == [phone.member["level"]["name"]]


async def test_versions_written_at_once_are_numbered_one_after_another(admin):
    path = f"{TEMPLATES}/test.note/versions"
    bodies = [{"title": f"提醒{n}", "body": "{what}", "channels": ["inbox"]} for n in range(4)]

    answers = await asyncio.gather(*(admin.post(path, body) for body in bodies))
    await admin.post(f"{TEMPLATES}/test.note/use", {"version": 0})

    assert sorted(answer.status_code for answer in answers) == [201] * 4
    listed = (await admin.get(f"{path}?limit=3")).json()
    rest = (await admin.get(f"{path}?limit=3&cursor={listed['next_cursor']}")).json()
    assert [item["version"] for item in listed["items"] + rest["items"]] == [4, 3, 2, 1]


async def test_lists_go_by_code_and_page(admin):
    first = (await admin.get(f"{TEMPLATES}?limit=2")).json()
    second = (await admin.get(f"{TEMPLATES}?limit=2&cursor={first['next_cursor']}")).json()

    codes = [item["code"] for item in first["items"] + second["items"]]
    assert codes == sorted(codes)
    assert len(set(codes)) == 4
    assert (await admin.get(f"{TEMPLATES}/none.there")).status_code == 404
    assert (await admin.get(f"{TEMPLATES}?cursor=x")).status_code == 422


async def test_what_could_not_be_sent_is_refused_and_nothing_moves(admin, settings, client, chain):
    manager = await log_in(client, chain, "manager-S1")
    before = await fingerprint(settings)
    version = {"title": "a", "body": "b", "channels": ["inbox"]}
    wrong = [
        (OWN | {"code": "own.x", "body": "{nobody}"}, "/body"),
        (OWN | {"code": "own.x", "title": "{a}"}, "/title"),
        (OWN | {"code": "own.x", "texts": {"email": {"body": "x"}}}, "/texts/email"),
        (OWN | {"code": "own.x", "channels": ["inbox", "inbox"]}, "/channels"),
        (OWN | {"code": "own.x", "channels": ["inbox", "sms", "wechat"]}, "/texts/wechat"),
        (OWN | {"code": "own.x", "variables": [{"name": "chain"}]}, "/variables"),
        (OWN | {"code": "own.x", "variables": [{"name": "limit", "kind": "money", "sample": "x"}]}, "/variables"),
        (OWN | {"code": "Own X"}, "/code"),
        (OWN | {"code": "own.x", "title": "a\nb"}, "/title"),
        (OWN | {"code": "own.x", "body": "x" * 2001}, "/body"),
    ]

    answers = [(await admin.post(TEMPLATES, body), pointer) for body, pointer in wrong]
    builtin = await admin.post(f"{TEMPLATES}/test.note/versions", version | {"variables": []})
    taken = await admin.post(TEMPLATES, OWN | {"code": "test.note"})
    none = await admin.post(f"{TEMPLATES}/test.note/use", {"version": 99})
    kind = await admin.post(f"{TEMPLATES}/own.promo/preview", {"values": {"limit": "x"}})
    forbidden = [
        await manager.post(TEMPLATES, OWN | {"code": "own.x"}),
        await manager.post(f"{TEMPLATES}/test.note/versions", version),
        await manager.post(f"{TEMPLATES}/test.note/use", {"version": 0}),
    ]

    assert [(answer.status_code, answer.json()["errors"][0]["pointer"]) for answer, _ in answers] == [
        (422, pointer) for _, pointer in answers
    ]
    assert builtin.json()["errors"][0]["pointer"] == "/variables"
    assert (taken.status_code, none.status_code, kind.status_code) == (409, 404, 422)
    assert [answer.status_code for answer in forbidden] == [403] * 3
    assert await fingerprint(settings) == before


async def test_what_letters_were_sent_with_is_never_rewritten(admin):
    await admin.post(f"{TEMPLATES}/test.news/versions", {"title": "a", "body": "{what}", "channels": ["inbox"]})
    await admin.post(f"{TEMPLATES}/test.news/use", {"version": 0})

    for sql in ("UPDATE message_template_version SET body = 'x'", "DELETE FROM message_template_version"):
        with pytest.raises(Exception, match="never rewritten"):
            await db.pool().execute(sql)
