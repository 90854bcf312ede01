"""The handbook: chapters, their versions, who is shown them, and what questions find."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest_asyncio

from backend.kernel import db
from backend.members import queries as members
from backend.notices import queries
from tests.support.books import fingerprint

BOOK = "/v1/admin/handbook"
CHAPTERS = f"{BOOK}/chapters"
MINE = "/v1/member/handbook"


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def no_other_chapter(database) -> None:
    """No chapter of one test is in the next."""
    await db.fetchval("UPDATE notice_chapter SET current = NULL, removed_at = now() WHERE removed_at IS NULL")
    queries.forget_chapters()


async def chapter(admin, title: str, body: str = "", **fields) -> str:
    made = await admin.post(CHAPTERS, {"title": title, "body": body, **fields}, key=uuid4().hex)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def shown(admin, title: str, body: str = "", **fields) -> str:
    id_ = await chapter(admin, title, body, **fields)
    answer = await admin.post(f"{CHAPTERS}/{id_}/publish", {"revision": 1})
    assert answer.status_code == 200, answer.text
    return id_


async def contents(caller) -> list[str]:
    path = MINE if hasattr(caller, "openid") else BOOK
    return [item["title"] for item in (await caller.call("GET", path)).json()["items"]]


async def test_a_chapter_is_written_published_changed_compared_and_restored(admin, phone):
    id_ = await chapter(admin, "退换货", "七天内可退\n须有小票")
    one = f"{CHAPTERS}/{id_}"
    assert await contents(phone) == []

    published = await admin.post(f"{one}/publish", {"revision": 1})
    assert (published.json()["current"], published.json()["draft"]) == (1, None)
    assert await contents(phone) == ["退换货"]
    saved = await admin.call("PUT", f"{one}/draft", {"title": "退货", "body": "十天内可退\n须有小票", "revision": 0})
    assert (saved.json()["current"], saved.json()["draft"], saved.json()["title"]) == (1, 2, "退换货")
    assert (await phone.call("GET", f"{MINE}/pages/{id_}")).json()["title"] == "退换货"
    await admin.call("PUT", f"{one}/draft", {"title": "退货", "body": "十天内可退\n须有小票\n新", "revision": 1})
    await admin.post(f"{one}/publish", {"revision": 2})

    page = (await phone.call("GET", f"{MINE}/pages/{id_}")).json()
    assert (page["title"], page["blocks"][0]["spans"]) == ("退货", [{"text": "十天内可退\n须有小票\n新"}])
    diff = (await admin.get(f"{one}/diff?old=1&new=2")).json()
    assert (diff["old_title"], diff["new_title"]) == ("退换货", "退货")
    assert [(line["mark"], line["text"]) for line in diff["lines"]] == [
        ("removed", "七天内可退"), ("added", "十天内可退"), ("same", "须有小票"), ("added", "新"),
    ]  # fmt: skip
    restored = await admin.post(f"{one}/versions/1/restore")
    assert restored.json()["draft"] == 3
    assert (await admin.get(one)).json()["draft"]["body"] == "七天内可退\n须有小票"
    await admin.post(f"{one}/publish", {"revision": 1})
    history = (await admin.get(f"{one}/versions")).json()["items"]
    assert [(v["number"], v["title"], v["current"]) for v in history] == [
        (3, "退换货", True), (2, "退货", False), (1, "退换货", False),
    ]  # fmt: skip
    assert history[0]["note"] == "恢复自第 1 版"
    actions = [item["action"] for item in (await admin.get(f"{one}/changes")).json()["items"]]
    assert actions == ["publish", "restore", "publish", "save", "save", "publish", "create"]


async def test_what_was_published_is_never_rewritten(admin, database):
    id_ = await shown(admin, "不变", "文")

    for sql in (
        "UPDATE notice_version SET body = 'x' WHERE chapter_id = $1",
        "DELETE FROM notice_version WHERE chapter_id = $1",
    ):
        error = await refused_sql(sql, id_)
        assert "never rewritten" in error

    assert (await admin.get(f"{CHAPTERS}/{id_}")).json()["current"]["body"] == "文"


async def refused_sql(sql: str, *args) -> str:
    try:
        await db.fetchval(sql + " RETURNING 1", *args)
    except Exception as error:
        return str(error)
    return ""


async def test_of_two_who_save_at_once_one_is_told(admin):
    id_ = await chapter(admin, "并写", "零")
    path = f"{CHAPTERS}/{id_}/draft"

    answers = await asyncio.gather(
        *(admin.call("PUT", path, {"title": "并写", "body": body, "revision": 1}) for body in ("甲", "乙"))
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    won = next(index for index, answer in enumerate(answers) if answer.status_code == 200)
    draft = (await admin.get(f"{CHAPTERS}/{id_}")).json()["draft"]
    assert (draft["body"], draft["revision"]) == ("甲乙"[won], 2)
    assert [a.json()["code"] for a in answers if a.status_code == 409] == ["handbook_changed"]


async def test_what_is_sent_again_after_a_lost_answer_changes_nothing(admin):
    id_ = await chapter(admin, "再发", "零")
    one = f"{CHAPTERS}/{id_}"
    text = {"title": "再发", "body": "一", "revision": 1}

    saved = [await admin.call("PUT", f"{one}/draft", text) for _ in range(2)]
    shown = [await admin.post(f"{one}/publish", {"revision": 2}) for _ in range(2)]

    assert [answer.status_code for answer in (*saved, *shown)] == [200] * 4
    actions = [item["action"] for item in (await admin.get(f"{one}/changes")).json()["items"]]
    assert actions == ["publish", "save", "create"]


async def test_readers_are_shown_what_is_for_them(admin, manager, phone):
    level = phone.member["level"]["code"]
    await db.fetchval(
        "INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen)"
        " VALUES ('other', '别', 0, 10000, 88888888) RETURNING 1"
    )
    members.forget_levels()
    top = await shown(admin, "会员", sort=1)
    await shown(admin, "本级", parent_id=top, visibility="levels", levels=[level])
    await shown(admin, "别级", parent_id=top, sort=1, visibility="levels", levels=["other"])
    inner = await shown(admin, "店务", sort=2, visibility="staff")
    below = await shown(admin, "开店", "七点开门", parent_id=inner)
    hidden = await chapter(admin, "草稿", sort=3)
    under = await shown(admin, "草稿之下", parent_id=hidden)

    assert await contents(phone) == ["会员", "本级"]
    assert await contents(manager) == ["会员", "本级", "别级", "店务", "开店"]
    for id_ in (inner, below, hidden, under):
        assert (await phone.call("GET", f"{MINE}/pages/{id_}")).status_code == 404
    assert (await phone.call("GET", f"{MINE}/search?q=开门")).json()["items"] == []
    page = (await manager.get(f"{BOOK}/pages/{below}")).json()
    assert [one["title"] for one in page["above"]] == ["店务"]
    found = (await manager.get(f"{BOOK}/search?q=开门")).json()["items"]
    assert [(item["title"], item["above"]) for item in found] == [("开店", ["店务"])]
    assert (await admin.post(f"{CHAPTERS}/{top}/withdraw")).json()["current"] is None
    assert await contents(phone) == []


async def test_questions_find_chapters_by_what_they_are_about(admin, phone):
    back = await shown(admin, "退换货", "七天内凭小票可以退货，十五天内可以换货。")
    points = await shown(admin, "积分", "每消费一元得一分。积分次年年底过期。")
    await shown(admin, "营业时间", "每天九点到二十一点，退货请在二十点前来。")

    async def found(text: str) -> list[str]:
        return [item["title"] for item in (await phone.call("GET", f"{MINE}/search?q={text}")).json()["items"]]

    assert await found("请问怎么退货？") == ["退换货", "营业时间"]
    assert await found("积分什么时候过期") == ["积分"]
    assert await found("jifen") == ["积分"]
    assert await found("退货 飞船 火星") == []
    assert await found("？？") == []
    (item, _) = (await phone.call("GET", f"{MINE}/search?q=退货")).json()["items"]
    assert (item["id"], "退货" in item["excerpt"]) == (back, True)
    (answer,) = await queries.search_handbook("积分会过期吗", 3)
    assert (answer.chapter_id, answer.score) == (points, 5000)
    assert (await phone.call("GET", f"{MINE}/search?q=")).status_code == 422


async def test_the_tree_is_bounded_and_has_no_rings(admin, settings):
    ids, parent = [], None
    for depth in range(4):
        parent = await chapter(admin, f"层{depth}", **({"parent_id": parent} if parent else {}))
        ids.append(parent)
    before = await fingerprint(settings)

    cases = [
        await admin.post(CHAPTERS, {"title": "太深", "parent_id": ids[3]}, key="deep"),
        await admin.call("PUT", f"{CHAPTERS}/{ids[0]}", {"parent_id": ids[2]}),
        await admin.call("PUT", f"{CHAPTERS}/{ids[0]}", {"parent_id": ids[0]}),
        await admin.call("PUT", f"{CHAPTERS}/{ids[0]}", {"parent_id": "HNONE"}),
        await admin.call("PUT", f"{CHAPTERS}/{ids[0]}", {"visibility": "levels"}),
        await admin.call("PUT", f"{CHAPTERS}/{ids[0]}", {"levels": ["basic"]}),
        await admin.call("PUT", f"{CHAPTERS}/{ids[0]}", {"visibility": "levels", "levels": ["nobody"]}),
    ]

    assert [answer.status_code for answer in cases] == [422] * 7
    assert await fingerprint(settings) == before
    moved = await admin.call("PUT", f"{CHAPTERS}/{ids[2]}", {"sort": -1})
    assert moved.json()["parent_id"] is None
    listed = [item["title"] for item in (await admin.get(CHAPTERS)).json()["items"]]
    assert listed == ["层2", "层3", "层0", "层1"]


async def test_what_the_state_of_a_chapter_forbids_changes_nothing(admin, manager, phone, settings):
    top = await shown(admin, "上")
    await chapter(admin, "下", parent_id=top)
    fresh = await chapter(admin, "新")
    before = await fingerprint(settings)

    cases = [
        (await admin.call("DELETE", f"{CHAPTERS}/{top}"), 409, "handbook_conflict"),
        (await admin.call("DELETE", f"{CHAPTERS}/{fresh}/draft"), 409, "handbook_conflict"),
        (await admin.post(f"{CHAPTERS}/{top}/publish", {"revision": 2}), 409, "handbook_conflict"),
        (await admin.post(f"{CHAPTERS}/{fresh}/publish", {"revision": 2}), 409, "handbook_changed"),
        (await admin.post(f"{CHAPTERS}/{fresh}/versions/1/restore"), 409, "handbook_conflict"),
        (await admin.post(f"{CHAPTERS}/{top}/versions/9/restore"), 404, "not_found"),
        (await admin.get(f"{CHAPTERS}/{top}/versions/x"), 404, "not_found"),
        (await admin.get(f"{CHAPTERS}/{top}/diff?old=1&new=2"), 404, "not_found"),
        (await admin.get(f"{CHAPTERS}/HNONE"), 404, "not_found"),
        (await admin.post(f"{BOOK}/preview", {"body": "[x](http://a.cn)"}), 422, "validation_failed"),
        (await manager.get(CHAPTERS), 403, "forbidden"),
        (await manager.post(CHAPTERS, {"title": "x"}, key="m"), 403, "forbidden"),
        (await phone.call("GET", f"{MINE}/pages/{fresh}"), 404, "not_found"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer, _, _ in cases] == [case[1:] for case in cases]
    assert await fingerprint(settings) == before
    assert (await admin.call("DELETE", f"{CHAPTERS}/{fresh}")).status_code == 204
    assert (await admin.get(f"{CHAPTERS}/{fresh}")).status_code == 404
    assert (await admin.call("PUT", f"{CHAPTERS}/{top}/draft", {"title": "x", "body": "", "revision": 0})).is_success
    for _ in range(2):
        assert (await admin.call("DELETE", f"{CHAPTERS}/{top}/draft")).status_code == 204
    assert (await admin.get(f"{CHAPTERS}/{top}")).json()["draft"] is None
