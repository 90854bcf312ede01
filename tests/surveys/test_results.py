"""Results: numbers, tables, charts and files; of an anonymous survey nothing that would find somebody out."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import openpyxl
import pytest
import pytest_asyncio
from PIL import Image

from backend.kernel import charts, db
from backend.kernel import clock as kernel_clock
from backend.surveys import queries
from backend.surveys.service import Said, store
from backend.surveys.types import Given, Medium
from tests.support.staff import log_in
from tests.support.surveys import NPS, SURVEYS, TASTE, WHY, enter, make_survey, send, taste

pytestmark = pytest.mark.usefixtures("books")

MATRIX = {
    "id": "parts",
    "kind": "matrix",
    "title": "各方面",
    "rows": [{"id": "staff", "text": "店员"}, {"id": "place", "text": "环境"}],
    "options": [{"id": "good", "text": "好"}, {"id": "bad", "text": "差"}],
}
MANY = {
    "id": "many",
    "kind": "multiple",
    "title": "常买什么",
    "options": [{"id": "tea", "text": "茶"}, {"id": "water", "text": "水"}],
}
AGE = {"id": "age", "kind": "number", "title": "几岁", "at_least": 0, "at_most": 120, "decimals": 1}
PRICE = {"id": "price", "kind": "number", "title": "多少钱", "decimals": 3}
DAY = {"id": "day", "kind": "date", "title": "哪天来的"}


async def fill(survey, rows) -> None:
    """Store answers as members gave them: (taste, nps, store, level)."""
    found = await queries.get_survey(survey["id"])
    content = await queries.get_version(survey["id"], 1)
    async with db.transaction() as tx:
        for choice, nps, store_id, level in rows:
            given = [Given(question="taste", choices=(choice,)), Given(question="nps", number=nps)]
            said = Said(1, given, Medium.PHONE, None, store_id, level)
            await store(tx, found, content, said, kernel_clock.now())


@pytest_asyncio.fixture(loop_scope="session")
async def survey(admin):
    """An anonymous one with 20 answers: 12 of S1 (10 good), 6 of S2 (all bad), 2 of S3."""
    made = await make_survey(admin, anonymous=True)
    rows = [("good", 10, "S1", "basic")] * 10 + [("bad", 3, "S1", "basic")] * 2
    await fill(made, rows + [("bad", 6, "S2", "basic")] * 6 + [("good", 8, "S3", "gold")] * 2)
    return made


async def get(staff, survey, what):
    answer = await staff.get(f"{SURVEYS}/{survey['id']}/{what}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_kind_is_counted_with_shares_averages_and_nps(admin):
    survey = await make_survey(admin, TASTE, NPS, MATRIX, MANY, AGE, DAY, WHY)
    said = [
        ("good", 10, "good", ["tea", "water"], 20, "2027-01-31", "好"),
        ("good", 8, "good", ["tea"], 30.5, "2027-02-01", ""),
        ("bad", 2, "bad", ["tea"], 40, "2027-02-02", ""),
    ]
    for choice, nps, cell, many, age, day, why in said:
        answers = [
            *taste(choice, nps),
            {"question": "parts", "cells": {"staff": cell, "place": "good"}},
            {"question": "many", "choices": many},
            {"question": "age", "number": age},
            {"question": "day", "on": day},
            *([{"question": "why", "text": why}] if why else []),
        ]
        assert (await enter(admin, survey, answers=answers)).status_code == 201

    told = await get(admin, survey, "statistics")

    by_id = {item["id"]: item for item in told["questions"]}
    assert told["answers"] == 3
    assert told["media"] == [{"key": "paper", "answers": 3}]
    assert [(one["id"], one["count"], one["share_bp"]) for one in by_id["taste"]["choices"]] == [
        ("good", 2, 6666),
        ("bad", 1, 3333),
        ("other", 0, 0),
    ]
    assert (by_id["nps"]["nps"], by_id["nps"]["average"]) == (0.0, 6.67)
    assert [one["count"] for one in by_id["parts"]["rows"][0]["choices"]] == [2, 1]
    assert (by_id["many"]["answered"], [one["count"] for one in by_id["many"]["choices"]]) == (3, [3, 1])
    assert (by_id["age"]["average"], by_id["age"]["least"], by_id["age"]["most"]) == (30.17, 20.0, 40.0)
    assert [one["count"] for one in by_id["age"]["choices"]] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert [(one["id"], one["count"]) for one in by_id["day"]["choices"]] == [("2027-01", 1), ("2027-02", 2)]
    assert by_id["why"]["answered"] == 1


async def test_numbers_are_counted_with_all_their_digits(admin):
    survey = await make_survey(admin, NPS, PRICE)
    for price in (1234567.125, 1234567, 1234561):
        await enter(
            admin, survey, answers=[{"question": "nps", "number": -0.0}, {"question": "price", "number": price}]
        )

    nps, price = (await get(admin, survey, "statistics"))["questions"]
    text = (await admin.get(f"{SURVEYS}/{survey['id']}/export")).content.decode("utf-8-sig")

    assert (nps["choices"][0]["count"], nps["average"]) == (3, 0.0)
    assert (price["average"], price["least"], price["most"]) == (1234565.04, 1234561.0, 1234567.125)
    assert [one["count"] for one in price["choices"]] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert price["choices"][0]["text"] == "1234561–1234561.613"
    assert {line.rsplit(",", 1)[1] for line in text.splitlines()[1:]} == {"1234567.125", "1234567", "1234561"}


async def test_a_table_has_no_column_for_each_number_and_day_that_was_said(admin):
    survey = await make_survey(admin, TASTE, PRICE, DAY)
    found = await queries.get_survey(survey["id"])
    content = await queries.get_version(survey["id"], 1)
    first = date(1, 1, 1)
    async with db.transaction() as tx:
        for number in range(60):
            given = [
                Given(question="taste", choices=("good",)),
                Given(question="price", number=float(number)),
                Given(question="day", on=first + timedelta(days=60_000 * number)),
            ]
            said = Said(1, given, Medium.PHONE, None, "S1", "basic")
            await store(tx, found, content, said, kernel_clock.now())

    crossed = await get(admin, survey, "cross?rows=day&columns=price")
    by_store = await get(admin, survey, "breakdown?question=price&by=store")
    told = await get(admin, survey, "statistics")

    assert (len(crossed["lines"]), len(crossed["columns"])) == (10, 10)
    assert [line["counts"][place] for place, line in enumerate(crossed["lines"])] == [6] * 10
    assert [(line["counts"], line["average"]) for line in by_store["lines"]] == [([6] * 10, 29.5)]
    assert [one["count"] for one in told["questions"][2]["choices"]] == [6] * 10


async def test_two_questions_are_crossed(admin):
    survey = await make_survey(admin)
    for choice, nps in (("good", 10), ("good", 9), ("bad", 9)):
        await enter(admin, survey, answers=taste(choice, nps))

    told = await get(admin, survey, "cross?rows=taste&columns=nps")

    assert [head["id"] for head in told["columns"]] == ["9", "10"]
    assert [(line["text"], line["counts"], line["total"], line["average"]) for line in told["lines"]] == [
        ("好", [1, 1], 2, 9.5),
        ("不好", [1, 0], 1, 9.0),
        ("其他", [0, 0], 0, None),
    ]
    for bad in ("rows=taste&columns=taste", "rows=taste&columns=nothing", "rows=taste&columns=nps&rows_row=x"):
        assert (await admin.get(f"{SURVEYS}/{survey['id']}/cross?{bad}")).status_code == 422


async def test_small_counts_of_an_anonymous_survey_are_not_broken_down(admin, survey):
    told = await get(admin, survey, "statistics")
    by_store = await get(admin, survey, "breakdown?question=taste&by=store")
    crossed = await get(admin, survey, "cross?rows=taste&columns=nps")
    refused = await admin.get(f"{SURVEYS}/{survey['id']}/statistics?store_id=S3")
    both = await admin.get(f"{SURVEYS}/{survey['id']}/statistics?store_id=S1&level=basic")

    # of S3 two answered; S2's six are hidden with them, or 20 - 12 - 6 would tell
    assert told["stores"] == [
        {"key": "S1", "answers": 12},
        {"key": "S2", "answers": None},
        {"key": "S3", "answers": None},
    ]
    assert told["questions"][0]["choices"][0]["count"] == 12
    assert by_store["hidden"] is True
    assert {line["id"]: line["counts"] for line in by_store["lines"]}["S3"] == [None, None, 0]
    assert all(count is None or count == 0 or count >= 5 for line in crossed["lines"] for count in line["counts"])
    assert refused.json()["code"] == both.json()["code"] == "survey_too_few"
    narrowed = await get(admin, survey, "statistics?store_id=S1")
    assert narrowed["answers"] == 12
    assert [one["count"] for one in narrowed["questions"][0]["choices"]] == [None, None, 0]


async def test_managers_see_their_own_store_and_no_anonymous_answers(client, chain, admin, survey):
    manager = await log_in(client, chain, "manager-S2")
    named = await make_survey(admin)
    await fill(named, [("good", 10, "S1", "basic")] * 2 + [("bad", 1, "S2", "basic")])

    told = await get(manager, named, "statistics")
    raw = await get(manager, named, "answers")
    hidden = await manager.get(f"{SURVEYS}/{survey['id']}/answers")
    too_few = await manager.get(f"{SURVEYS}/{survey['id']}/statistics")

    assert (told["answers"], told["stores"]) == (1, [{"key": "S2", "answers": 1}])
    assert told["begun"] is None
    assert [item["store_id"] for item in raw["items"]] == ["S2"]
    assert hidden.status_code == 404
    assert too_few.json()["code"] == "survey_too_few"
    lines = (await get(manager, named, "breakdown?question=taste&by=store"))["lines"]
    assert [line["id"] for line in lines] == ["S2"]


async def test_answers_over_time_with_an_average(admin):
    survey = await make_survey(admin)
    for nps in (10, 5):
        await enter(admin, survey, answers=taste("good", nps))

    for by in ("day", "week"):
        (told,) = (await get(admin, survey, f"over-time?by={by}&question=nps"))["items"]
        assert (told["answers"], told["average"]) == (2, 7.5)
    assert (await admin.get(f"{SURVEYS}/{survey['id']}/over-time?question=taste")).status_code == 422


async def test_answers_are_paged_and_exported_without_formulas(admin, phone):
    survey = await make_survey(admin, TASTE, WHY, MATRIX)
    cells = {"question": "parts", "cells": {"staff": "good", "place": "bad"}}
    other = {"question": "taste", "choices": ["other"], "text": "=cmd()"}
    await enter(admin, survey, answers=[other, {"question": "why", "text": "=1+1"}, cells])
    await send(phone, survey, [{"question": "taste", "choices": ["good"]}, cells])

    page = await get(admin, survey, "answers?limit=1")
    rest = await get(admin, survey, f"answers?limit=1&cursor={page['next_cursor']}")
    paper = await get(admin, survey, "answers?medium=paper")
    text = await admin.get(f"{SURVEYS}/{survey['id']}/export")
    book = await admin.get(f"{SURVEYS}/{survey['id']}/export?format=xlsx")

    assert [item["medium"] for item in (*page["items"], *rest["items"])] == ["phone", "paper"]
    assert (rest["next_cursor"], len(paper["items"])) == (None, 1)
    lines = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert lines[0][-4:] == ["味道如何", "为什么", "各方面 - 店员", "各方面 - 环境"]
    assert lines[1][2] == phone.member["member_no"]
    assert lines[2][-4:] == ["其他：=cmd()", "'=1+1", "好", "差"]
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0]
    assert [cell.value for cell in sheet[3]][-4:] == ["其他：=cmd()", "'=1+1", "好", "差"]
    assert (await admin.get(f"{SURVEYS}/{survey['id']}/answers?cursor=x")).status_code == 422


async def test_charts_have_a_title_axes_and_words_and_run_nothing(admin, survey):
    wanted = (
        "what=question&question=taste",
        "what=breakdown&question=taste&by=store",
        "what=time&by=week",
        "what=cross&question=taste&columns=nps",
    )
    for query in wanted:
        drawn = await admin.get(f"{SURVEYS}/{survey['id']}/chart.svg?{query}")
        assert drawn.headers["content-type"] == "image/svg+xml", drawn.text
        root = ET.fromstring(drawn.text)
        title, words = root.find("{*}title"), root.find("{*}desc")
        assert title is not None
        assert words is not None
        assert all((title.text, words.text))
        assert len(root.findall("{*}polyline")) >= 5  # the axis
        assert not root.findall(".//{*}script")
    question = await admin.get(f"{SURVEYS}/{survey['id']}/chart.svg?{wanted[0]}")
    assert "好：12（60.0%）；不好：8（40.0%）" in question.text
    assert "#0B7A5B" in question.text


def test_what_is_written_in_a_chart_is_text():
    evil = '<script>alert(1)</script>&"'
    chart = charts.Bars(evil, evil, "人", [charts.Bar(evil, 1, evil)])

    root = ET.fromstring(charts.draw(chart, "svg", "#0B7A5B"))

    assert not root.findall(".//{*}script")
    assert root.find("{*}title").text == evil


@pytest.mark.skipif(charts._find_font() is None, reason="no Chinese font on this machine")
async def test_the_same_chart_is_a_picture(admin, survey):
    drawn = await admin.get(f"{SURVEYS}/{survey['id']}/chart.png?what=question&question=taste")

    picture = Image.open(io.BytesIO(drawn.content))
    assert (picture.format, picture.width) == ("PNG", 1440)
    assert picture.info["Title"] == "味道如何"
    assert "好：12" in picture.info["Description"]


async def test_without_a_font_it_is_said_so(admin, survey, monkeypatch):
    monkeypatch.setattr(charts, "_find_font", lambda: None)

    refused = await admin.get(f"{SURVEYS}/{survey['id']}/chart.png?what=question&question=taste")

    assert (refused.status_code, refused.json()["code"]) == (503, "chart_unavailable")


async def test_what_an_answer_was_given_stands_beside_it_under_a_name_only(admin, phone):
    named = await make_survey(admin, reward={"prizes": [{"title": "谢礼", "chance_bp": 10_000, "points": 3}]})
    nameless = await make_survey(admin, anonymous=True, reward={"points": 3})
    for survey in (named, nameless):
        assert (await send(phone, survey)).status_code == 201

    told = [(await get(admin, survey, "answers"))["items"][0] for survey in (named, nameless)]

    assert [(one["prize"], one["points"], one["paid"]) for one in told] == [("谢礼", 3, True), (None, None, None)]
    text = (await admin.get(f"{SURVEYS}/{named['id']}/export")).content.decode("utf-8-sig")
    assert "谢礼" in text.splitlines()[1]


async def test_few_answers_of_a_store_are_no_number_in_the_list(client, chain, admin):
    survey = await make_survey(admin, anonymous=True, quotas=[{"limit": 9, "level": "basic"}])
    await fill(survey, [("good", 9, "S2", "basic")] * 3)
    manager = await log_in(client, chain, "manager-S2")

    of_store = (await manager.get(f"{SURVEYS}/{survey['id']}")).json()
    of_all = (await admin.get(f"{SURVEYS}/{survey['id']}")).json()

    assert (of_store["answers"], of_all["answers"]) == (None, 3)
    assert of_store["taken"] == []
    assert of_all["taken"] == [{"key": "level:basic", "limit": 9, "taken": None}]


async def test_members_that_head_office_named_are_not_told_to_stores(client, chain, admin, phone):
    survey = await make_survey(admin, audience={"member_nos": [phone.member["member_no"]]})
    manager = await log_in(client, chain, "manager-S2")

    of_store = (await manager.get(f"{SURVEYS}/{survey['id']}")).json()
    of_all = (await admin.get(f"{SURVEYS}/{survey['id']}")).json()

    assert of_store["audience"] == {"member_nos": []}
    assert of_all["audience"] == {"member_nos": [phone.member["member_no"]]}
