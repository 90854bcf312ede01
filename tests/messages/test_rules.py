"""What a letter says and when it may go, as pure functions."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.messages import rules
from backend.messages.types import Channel, Purpose, Template, Text, VariableKind

SHANGHAI = ZoneInfo("Asia/Shanghai")


@settings(max_examples=50)
@given(st.text(max_size=20))
def test_a_value_is_never_read_as_a_text_with_variables(value):
    assert rules.fill("<{a}|{b}>", {"a": value, "b": "{a}"}) == f"<{value}|{{a}}>"


@pytest.mark.parametrize("text", ["{a.__class__}", "{a!r}", "{0}", "{A}", "{}", "{{a}", "{a:>10}"])
def test_nothing_but_a_name_is_a_variable(text):
    assert rules.fill(text, {"a": "x"}) == text.replace("{a}", "x")


def test_a_variable_without_a_value_is_named():
    with pytest.raises(KeyError, match="b"):
        rules.fill("{a} {b}", {"a": "x"})


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (VariableKind.TEXT, "x", "x"),
        (VariableKind.NUMBER, "007", "7"),
        (VariableKind.MONEY, "123456", "¥1234.56"),
        (VariableKind.MONEY, "-5", "-¥0.05"),
        (VariableKind.DATE, "2026-11-28", "2026-11-28"),
        (VariableKind.TIME, "2026-11-27T16:30:00Z", "2026-11-28 00:30"),
    ],
)
def test_values_are_shown_by_their_kind(kind, value, shown):
    assert rules.shown(value, kind, SHANGHAI) == shown


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (VariableKind.NUMBER, "1.5"),
        (VariableKind.MONEY, "¥3"),
        *[
            (kind, text)
            for kind in (VariableKind.NUMBER, VariableKind.MONEY)
            for text in ("1" * 16, "1_0", " 1", "١", "")
        ],
        (VariableKind.DATE, "tomorrow"),
        (VariableKind.DATE, "0001-01-01"),
        (VariableKind.TIME, "0001-01-01T00:00:00+14:00"),
        (VariableKind.TIME, "9999-12-31T23:59:59-14:00"),
        (VariableKind.TIME, "2026-11-27T16:30:00"),
        (VariableKind.TEXT, "x" * 501),
    ],
)
def test_a_value_of_another_kind_is_refused(kind, value):
    with pytest.raises(ValueError, match=r"."):
        rules.shown(value, kind, SHANGHAI)


@pytest.mark.parametrize(
    ("utc", "until"),
    [
        ("12:59", None),
        ("13:00", "28 00:00"),
        ("15:59", "28 00:00"),
        ("16:00", "28 00:00"),
        ("23:59", "28 00:00"),
        ("00:00", None),
    ],
)
def test_quiet_hours_go_over_midnight_in_the_chains_zone(utc, until):
    day = 27
    hour, minute = map(int, utc.split(":"))
    now = datetime(2026, 11, day, hour, minute, tzinfo=UTC)

    found = rules.quiet_until(now, time(21), time(8), SHANGHAI)

    assert (found.astimezone(UTC).strftime("%d %H:%M") if found else None) == until


def test_quiet_hours_of_a_noon_and_of_never():
    noon = datetime(2026, 11, 27, 4, 30, tzinfo=UTC)

    assert rules.quiet_until(noon, time(12), time(14), SHANGHAI) == datetime(2026, 11, 27, 6, tzinfo=UTC)
    assert rules.quiet_until(noon, time(12), time(12), SHANGHAI) is None


def test_a_channel_says_its_own_text_and_what_it_lacks_is_the_templates():
    template = Template(
        code="a.b",
        purpose=Purpose.SERVICE,
        version=1,
        title="标题 {n}",
        body="正文 {n}",
        channels=(Channel.INBOX, Channel.WECHAT),
        texts={Channel.WECHAT: Text(body="短", template_id="T1", fields={"thing1": "{n}", "phrase2": "已发货请查收"})},
    )
    values = {"n": "一" * 30}

    assert rules.said(template, Channel.INBOX, values) == rules.Said(f"标题 {values['n']}", f"正文 {values['n']}")
    said = rules.said(template, Channel.WECHAT, values)
    assert (said.body, said.template_id) == ("短", "T1")
    assert said.fields == {"thing1": "一" * 19 + "…", "phrase2": "已发货请…"}


@pytest.mark.parametrize("link", ["#/a", "#/orders/1?x=2"])
def test_addresses_of_the_phone_page_are_links(link):
    assert rules.is_link(link)


@pytest.mark.parametrize("link", ["", "/a", "https://x", "javascript:1", "#/a b", "#/a\n", "#a", "#/" + "a" * 200])
def test_nothing_else_is_a_link(link):
    assert not rules.is_link(link)


def test_tries_wait_longer_each_time_and_an_hour_at_most():
    assert [rules.retry_after_s(n, 0) for n in (1, 2, 3, 8, 20)] == [30, 60, 120, 3600, 3600]
    assert rules.retry_after_s(1, 90) == 90
