"""Texts as blocks, the tree, questions, and what changed: without a database."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.notices.rules import asking, diff, markdown, tree
from backend.notices.types import (
    Blocks,
    Chapter,
    Code,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quote,
    Rule,
    Span,
    Table,
    Visibility,
)

MEDIA = "ab" * 32


def said(text: str, **look) -> Paragraph:
    return Paragraph((Span(text, **look),))


def test_every_kind_of_block_is_read():
    text = f"""# 退货
七天内 **可退**，*须* 有 `小票`，~~十天~~
第二行

> 引用

3. 甲
4. 乙
   - 内

```
x < y
```

---

| 项 | 价 |
| --- | --- |
| 茶 | 3 |

![封面](media:{MEDIA})
"""

    assert markdown.parse(text) == (
        Heading(1, (Span("退货"),)),
        Paragraph(
            (
                Span("七天内 "),
                Span("可退", bold=True),
                Span("，"),
                Span("须", italic=True),
                Span(" 有 "),
                Span("小票", code=True),
                Span("，"),
                Span("十天", struck=True),
                Span("\n第二行"),
            )
        ),
        Quote((said("引用"),)),
        Listing(True, 3, ((said("甲"),), (said("乙"), Listing(False, 1, ((said("内"),),))))),
        Code("x < y"),
        Rule(),
        Table(((Span("项"),), (Span("价"),)), (((Span("茶"),), (Span("3"),)),)),
        Picture(MEDIA, "封面", f"/v1/media/{MEDIA}", f"/v1/media/{MEDIA}/small"),
    )


def test_html_is_text_like_any_other():
    blocks = markdown.parse("<script>alert(1)</script> <b>粗</b>\n\n<div onclick='x'>\n")

    assert blocks == (said("<script>alert(1)</script> <b>粗</b>"), said("<div onclick='x'>"))


@pytest.mark.parametrize(
    "href", ["https://example.com/a?b=c#d", "#/coupons", "#/handbook/HABC?x=1", "https://a.cn:8443"]
)
def test_links_lead_to_https_and_to_our_own_pages(href):
    assert markdown.parse(f"[看]({href})") == (said("看", href=href),)


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))", "[x](JAVASCRIPT:alert(1))", "[x](data:text/html,1)", "[x](http://a.cn)",
        "[x](/v1/x)", "[x](//a.cn)", "[x](https://a@b.cn)", "[x](vbscript:x)", "<javascript:alert>", "[x](weixin://a)",
        "![x](https://a.cn/x.png)", "![x](data:image/svg+xml,1)", "![x](media:../x)", "![x](/v1/media/abc)",
        "# ![x](media:" + MEDIA + ")", f"[x](https://a.cn/{'a' * 500})", "[x]\n\n[x]: javascript:1",
    ],
)  # fmt: skip
def test_other_links_and_pictures_are_refused(text):
    with pytest.raises(markdown.UnsafeText):
        markdown.parse(text)


def test_a_text_has_at_most_twenty_pictures():
    def many(count: int) -> str:
        return "\n\n".join(f"![](media:{number:064x})" for number in range(count))

    assert len(markdown.parse(many(20))) == 20
    with pytest.raises(markdown.UnsafeText):
        markdown.parse(many(21))


@settings(max_examples=200)
@given(st.text(alphabet="ab<>[]()!*_`~#>-|:\\\n \t1.&;甲", max_size=200))
def test_any_text_is_blocks_or_refused_and_never_breaks(text):
    try:
        blocks = markdown.parse(text)
    except markdown.UnsafeText:
        return

    assert msgspec.json.decode(msgspec.json.encode(blocks), type=Blocks) == blocks
    assert isinstance(markdown.plain(blocks), str)


def test_a_picture_inside_a_paragraph_gets_a_line_of_its_own():
    before, picture, after = markdown.parse(f"前 ![图](media:{MEDIA}) 后")

    assert (before, after) == (said("前 "), said(" 后"))
    assert picture.media_id == MEDIA
    assert markdown.plain((before, picture, after)) == "前 \n图\n 后"


def chapter(id_: str, parent: str | None = None, *, sort: int = 0, current: int | None = 1, **fields) -> Chapter:
    return Chapter(
        id=id_,
        parent_id=parent,
        sort=sort,
        title=id_,
        visibility=fields.get("visibility", Visibility.EVERYONE),
        levels=fields.get("levels", ()),
        current=current,
        draft=None,
        updated_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


BOOK = [
    chapter("C", sort=3, visibility=Visibility.STAFF),
    chapter("A", sort=1),
    chapter("A2", "A", sort=2, current=None),
    chapter("A1", "A", sort=1, visibility=Visibility.LEVELS, levels=("gold",)),
    chapter("A2a", "A2"),
    chapter("A1a", "A1"),
    chapter("C1", "C"),
]


@pytest.mark.parametrize(
    ("reader", "shown"),
    [
        ({"level": None, "staff": False}, ["A"]),
        ({"level": "silver", "staff": False}, ["A"]),
        ({"level": "gold", "staff": False}, ["A", "A1", "A1a"]),
        ({"level": None, "staff": True}, ["A", "A1", "A1a", "C", "C1"]),
    ],
)
def test_a_chapter_is_shown_only_where_all_above_it_are(reader, shown):
    assert [one.id for one in tree.shown_to(BOOK, **reader)] == shown


def test_the_tree_knows_how_deep_and_how_high_its_chapters_are():
    assert [tree.depth_of(BOOK, id_) for id_ in (None, "A", "A2a")] == [0, 1, 3]
    assert [tree.height_of(BOOK, id_) for id_ in ("A", "A2", "C1")] == [3, 2, 1]
    assert tree.lies_below(BOOK, "A2a", "A")
    assert tree.lies_below(BOOK, "A", "A")
    assert not tree.lies_below(BOOK, "A", "A2a")


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("请问怎么退货？", ["'退货'"]),
        ("积分什么时候过期", ["'积分'", "'过期'"]),
        ("tuihuo", ["'tuihuo':*"]),
        ("怎么样", ["'怎么'", "'么样'"]),
        ("？", []),
    ],
)
def test_a_question_asks_for_what_it_is_about(question, asked):
    assert asking.asked(question) == asked


def test_an_excerpt_shows_where_the_word_stands():
    text = "开头" * 30 + "七天内可以退货，须有小票。" + "结尾" * 30

    shown = asking.excerpt(text, "怎么退货")

    assert "退货" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= 62
    assert asking.excerpt("短文", "退货") == "短文"


@given(st.lists(st.sampled_from("甲乙丙"), max_size=8), st.lists(st.sampled_from("甲乙丙"), max_size=8))
def test_the_lines_of_both_texts_are_in_what_changed(old, new):
    found = diff.lines("\n".join(old), "\n".join(new))

    assert [line.text for line in found if line.mark != "added"] == "\n".join(old).split("\n")
    assert [line.text for line in found if line.mark != "removed"] == "\n".join(new).split("\n")


def test_what_stays_is_as_much_as_can_be():
    found = diff.lines("甲\n乙\n丙\n丁", "甲\n丙\n新\n丁")

    assert [(line.mark, line.text) for line in found] == [
        ("same", "甲"),
        ("removed", "乙"),
        ("same", "丙"),
        ("added", "新"),
        ("same", "丁"),
    ]


def test_texts_made_to_be_hard_to_compare_cost_no_more_than_others():
    old = "".join(f"{n % 101}\n" for n in range(5_000))
    new = "".join(f"{(n + 1) % 101}\n\n" for n in range(5_000))
    started = time.thread_time()

    found = diff.lines(old, new)

    assert "\n".join(line.text for line in found if line.mark != "added") == old
    assert time.thread_time() - started < 3
