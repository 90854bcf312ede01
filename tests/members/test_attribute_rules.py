"""What an attribute's values may be, and how a definition may change: pure."""

from __future__ import annotations

from datetime import date

import pytest

from backend.kernel.errors import ValidationFailed
from backend.members.rules import attributes as rules
from backend.members.types import Attribute, AttributeCondition, AttributeType, Bounds, Option, Reach

SH, BJ, OLD = Option("sh", "上海"), Option("bj", "北京"), Option("old", "旧城", closed=True)
CITY = Attribute(code="city", name="城市", type=AttributeType.CHOICE, options=(SH, BJ, OLD))
LIKES = Attribute(code="likes", name="喜好", type=AttributeType.CHOICES, options=(SH, BJ, OLD), bounds=Bounds(most=2))
HEIGHT = Attribute(
    code="height",
    name="身高",
    type=AttributeType.NUMBER,
    bounds=Bounds(at_least=30, at_most=260, decimals=1),
)
SINCE = Attribute(code="since", name="始于", type=AttributeType.DATE, bounds=Bounds(earliest=date(2000, 1, 1)))
NOTE = Attribute(code="note", name="备注", type=AttributeType.TEXT, bounds=Bounds(max_length=5))
SPORT = Attribute(code="sport", name="运动", type=AttributeType.BOOLEAN)


@pytest.mark.parametrize(
    ("attribute", "value", "kept"),
    [
        (CITY, "sh", "sh"),
        (LIKES, ["bj", "sh"], ["sh", "bj"]),
        (HEIGHT, 172.5, 172.5),
        (HEIGHT, 172.0, 172),
        (HEIGHT, 30, 30),
        (SINCE, "2000-01-01", "2000-01-01"),
        (NOTE, " 五个字也行 ", "五个字也行"),
        (SPORT, False, False),
    ],
)
def test_a_good_value_is_kept_in_one_form(attribute, value, kept):
    assert rules.read_value(attribute, value, "/x") == kept


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (CITY, "gz"), (CITY, ["sh"]), (CITY, "old"), (CITY, 1), (CITY, True),
        (LIKES, "sh"), (LIKES, []), (LIKES, ["sh", "sh"]), (LIKES, ["sh", "gz"]), (LIKES, ["sh", "bj", "old"]),
        (HEIGHT, 29.9), (HEIGHT, 260.1), (HEIGHT, 172.55), (HEIGHT, "172"), (HEIGHT, True), (HEIGHT, float("nan")),
        (SINCE, "1999-12-31"), (SINCE, "2026-02-30"), (SINCE, "20260201"), (SINCE, "2026-W01-1"), (SINCE, 20260201),
        (NOTE, "六个字就太长"), (NOTE, " "), (NOTE, "a\nb"), (NOTE, "a\u202eb"), (NOTE, 5),
        (SPORT, "true"), (SPORT, 1), (SPORT, []),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_name(attribute, value):
    with pytest.raises(ValidationFailed) as refused:
        rules.read_value(attribute, value, "/attributes/x")

    assert refused.value.errors[0].pointer == "/attributes/x"


def test_who_has_a_closed_option_keeps_it_and_nobody_else_gets_it():
    assert rules.read_value(CITY, "old", "/x", kept="old") == "old"
    assert rules.read_value(LIKES, ["old", "sh"], "/x", kept=["old"]) == ["sh", "old"]
    with pytest.raises(ValidationFailed):
        rules.read_value(CITY, "old", "/x", kept="sh")


@pytest.mark.parametrize(
    ("new", "pointer"),
    [
        (Attribute(code="a", name="a", type=AttributeType.TEXT, bounds=Bounds(at_most=1)), "/bounds/at_most"),
        (Attribute(code="a", name="a", type=AttributeType.NUMBER, bounds=Bounds(most=1)), "/bounds/most"),
        (
            Attribute(code="a", name="a", type=AttributeType.NUMBER, bounds=Bounds(at_least=2, at_most=1)),
            "/bounds/at_most",
        ),
        (
            Attribute(
                code="a",
                name="a",
                type=AttributeType.DATE,
                bounds=Bounds(earliest=date(2026, 1, 2), latest=date(2026, 1, 1)),
            ),
            "/bounds/latest",
        ),
        (Attribute(code="a", name="a", type=AttributeType.TEXT, options=(SH,)), "/options"),
        (Attribute(code="a", name="a", type=AttributeType.CHOICE), "/options"),
        (Attribute(code="a", name="a", type=AttributeType.CHOICE, options=(OLD,)), "/options"),
        (Attribute(code="a", name="a", type=AttributeType.CHOICE, options=(SH, SH)), "/options/1/code"),
        (
            Attribute(code="a", name="a", type=AttributeType.CHOICE, options=(SH, Option("s2", "上海"))),
            "/options/1/name",
        ),
        (Attribute(code="a", name="a", type=AttributeType.TEXT, seen_by=(), edited_by=()), "/seen_by"),
        (
            Attribute(code="a", name="a", type=AttributeType.TEXT, seen_by=(Reach.OFFICE,), edited_by=(Reach.MEMBER,)),
            "/edited_by",
        ),
    ],
)
def test_a_definition_without_sense_is_refused_by_name(new, pointer):
    with pytest.raises(ValidationFailed) as refused:
        rules.check_definition(new)

    assert refused.value.errors[0].pointer == pointer


def test_a_used_definition_keeps_type_and_options():
    other_type = Attribute(code="city", name="城市", type=AttributeType.TEXT)
    fewer = Attribute(code="city", name="城市", type=AttributeType.CHOICE, options=(SH,))

    for new, pointer in ((other_type, "/type"), (fewer, "/options")):
        rules.check_redefinition(CITY, new, used=False)
        with pytest.raises(ValidationFailed) as refused:
            rules.check_redefinition(CITY, new, used=True)
        assert refused.value.errors[0].pointer == pointer


def test_merging_names_every_refusal_and_leaves_what_is_as_it_was():
    known = {one.code: one for one in (CITY, HEIGHT)}
    office_only = {"city": Attribute(code="city", name="x", type=AttributeType.CHOICE, options=(SH,), edited_by=())}

    assert rules.merge({"city": "old"}, {"city": "old", "height": 180}, known, Reach.MEMBER) == {
        "city": "old",
        "height": 180,
    }
    assert rules.merge({"city": "sh", "was": 1}, {"city": None, "was": None}, known, Reach.MEMBER) == {}
    assert rules.merge({"city": "sh"}, {"city": "sh"}, office_only, Reach.MEMBER) == {"city": "sh"}
    with pytest.raises(ValidationFailed) as refused:
        rules.merge({}, {"city": "x", "height": 1, "none": 1}, known, Reach.MEMBER)
    assert [one.pointer for one in refused.value.errors] == [
        "/attributes/city",
        "/attributes/height",
        "/attributes/none",
    ]


def test_who_sees_and_edits_goes_by_reach_and_permission():
    secret = Attribute(
        code="a",
        name="a",
        type=AttributeType.TEXT,
        seen_by=(Reach.STORE, Reach.OFFICE),
        edited_by=(Reach.OFFICE,),
        see_permission="contact.full",
    )

    assert [rules.sees(secret, reach, {"contact.full"}) for reach in Reach] == [False, True, True]
    assert [rules.sees(secret, reach) for reach in Reach] == [False, False, False]
    assert [rules.edits(secret, reach, {"contact.full"}) for reach in Reach] == [False, False, True]
    assert rules.shown({"a": 1, "was": 2}, [secret], Reach.MEMBER) == {"was": 2}


@pytest.mark.parametrize(
    ("condition", "pointer"),
    [
        (AttributeCondition(code="none", empty=True), "/c/code"),
        (AttributeCondition(code="city"), "/c"),
        (AttributeCondition(code="city", any_of=("sh",), empty=True), "/c"),
        (AttributeCondition(code="city", any_of=("sh", "gz")), "/c/any_of/1"),
        (AttributeCondition(code="city", at_least="a"), "/c"),
        (AttributeCondition(code="height", any_of=("180",)), "/c/any_of/0"),
        (AttributeCondition(code="height", any_of=(True,)), "/c/any_of/0"),
        (AttributeCondition(code="height", at_least="1"), "/c/at_least"),
        (AttributeCondition(code="height", at_least=2.0, at_most=1.0), "/c/at_most"),
        (AttributeCondition(code="since", at_least="2026-02-30"), "/c/at_least"),
    ],
)
def test_a_condition_that_cannot_be_met_is_refused_by_name(condition, pointer):
    known = {one.code: one for one in (CITY, HEIGHT, SINCE)}

    with pytest.raises(ValidationFailed) as refused:
        rules.check_condition(condition, known.get(condition.code), "/c")

    assert refused.value.errors[0].pointer == pointer
