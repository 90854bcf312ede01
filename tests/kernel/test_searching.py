"""What finds what: neighbours, pinyin, initials; and how names are sorted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.kernel import db, searching

FOUND = [
    ("苹果汁", "苹果"), ("苹果汁", "果汁"), ("苹果汁", "汁"), ("苹果汁", "苹果汁"), ("苹果汁", "pingguo"),
    ("苹果汁", "PingG"), ("苹果汁", "guozhi"), ("苹果汁", "pgz"), ("苹果汁", "gz"), ("苹果汁", "ping zhi"),
    ("苹果汁", "苹 zhi"), ("绿茶", "lvcha"), ("绿茶", "lücha"), ("重庆小面", "cqxm"), ("重庆小面", "chongqing"),
    ("T恤 XL", "txu"), ("T恤 XL", "xl"), ("Ｔ恤", "t恤"), ("可乐330ml", "330"), ("可乐330ml", "kele330"),
    ("A-100", "a100"), ("A-100", "A-1"),
]  # fmt: skip
MISSED = [("苹果汁", "苹汁"), ("苹果汁", "果苹"), ("苹果汁", "ingguo"), ("绿茶", "红茶"), ("可乐", "kl2")]


@pytest.mark.parametrize(("name", "text", "found"), [*((*p, True) for p in FOUND), *((*p, False) for p in MISSED)])
async def test_a_name_is_found_by_neighbours_pinyin_and_initials(database, name, text, found):
    sql = "SELECT array_to_tsvector(string_to_array($1, ' ')) @@ $2::text::tsquery"

    assert await db.fetchval(sql, " ".join(searching.words_of([name])), searching.query_of(text)) is found


@pytest.mark.parametrize("text", ["", " ", "%", "_", "\\", "'", ":*", "&|!()", "、。", "\u200b"])
def test_what_has_no_letters_asks_for_nothing(text):
    assert searching.query_of(text) is None


@given(name=st.text(max_size=80), text=st.text(max_size=200))
def test_any_text_makes_plain_words_and_a_bounded_query(name, text):
    words = searching.words_of([name])
    asked = (searching.query_of(text) or "").split(" & ")

    assert all(re.fullmatch(r"[^\W_]+", word) and len(word) <= 32 for word in words)
    assert len(asked) <= 16
    assert all(part == "" or re.fullmatch(r"'[^\W_]+'(:\*)?", part) for part in asked)


@given(st.text(alphabet="苹果汁绿茶重庆小面长", min_size=2, max_size=30), st.data())
def test_two_neighbouring_characters_always_find_the_name(name, data):
    at = data.draw(st.integers(0, len(name) - 2))
    pair = name[at : at + 2]

    assert searching.query_of(pair) == f"'{pair}'"
    assert pair in searching.words_of([name])


def test_a_text_is_found_as_it_is_written_and_not_by_pinyin():
    words = searching.words_in("七天内可退货 App")

    assert "退货" in words
    assert "app" in words
    assert not any(word.startswith("tui") for word in words)


def test_names_sort_by_pinyin_then_tone():
    names = ["苹果", "茶", "Apple", "白菜", "妈妈", "马", "阿姨", "重庆"]

    assert sorted(names, key=searching.name_key) == ["阿姨", "Apple", "白菜", "茶", "重庆", "妈妈", "马", "苹果"]
