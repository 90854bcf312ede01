"""What an attribute's values may be, how definitions may change, and how values are found: pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from math import isfinite
from typing import Any

from backend.kernel.errors import FieldError, ValidationFailed, invalid

from ..types import Attribute, AttributeCondition, AttributeType, AttributeValue, Reach
from .profile import ATTRIBUTES_MAX, BIDI

MOST_ATTRIBUTES = 100
"""Definitions of a chain, archived ones too."""

MOST_TEXT = 200
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_BOUNDS = {
    AttributeType.TEXT: {"max_length"},
    AttributeType.NUMBER: {"at_least", "at_most", "decimals"},
    AttributeType.DATE: {"earliest", "latest"},
    AttributeType.CHOICES: {"most"},
}
WITH_OPTIONS = frozenset({AttributeType.CHOICE, AttributeType.CHOICES})


def check_definition(new: Attribute) -> None:
    """Refuse a definition that says what its type does not have, or that nobody could ever fill in."""
    wrong = [*_wrong_bounds(new), *_wrong_options(new)]
    if not new.seen_by:
        wrong.append(FieldError("/seen_by", "must name somebody"))
    if not set(new.edited_by) <= set(new.seen_by):
        wrong.append(FieldError("/edited_by", "may name only who sees it"))
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))


def _wrong_bounds(new: Attribute) -> Iterator[FieldError]:
    for name in new.bounds.__struct_fields__:
        if getattr(new.bounds, name) is not None and name not in _BOUNDS.get(new.type, ()):
            yield FieldError(f"/bounds/{name}", f"does not belong to the type {new.type.value}")
    if _crossed(new.bounds.at_least, new.bounds.at_most):
        yield FieldError("/bounds/at_most", "is below at_least")
    if _crossed(new.bounds.earliest, new.bounds.latest):
        yield FieldError("/bounds/latest", "is before earliest")


def _wrong_options(new: Attribute) -> Iterator[FieldError]:
    if new.type not in WITH_OPTIONS and new.options:
        yield FieldError("/options", f"do not belong to the type {new.type.value}")
    if new.type in WITH_OPTIONS and not any(not option.closed for option in new.options):
        yield FieldError("/options", "need one that is not closed")
    for column in ("code", "name"):
        known: set[str] = set()
        for place, option in enumerate(new.options):
            value = getattr(option, column)
            if value in known:
                yield FieldError(f"/options/{place}/{column}", "stands there twice")
            known.add(value)


def _crossed(low: Any, high: Any) -> bool:
    return low is not None and high is not None and low > high


def check_redefinition(old: Attribute, new: Attribute, *, used: bool) -> None:
    """Refuse a change that would leave stored values without a meaning.

    The type stays once a member has a value; an option may be renamed or closed, and never vanishes.
    """
    if new.type is not old.type and used:
        raise invalid("/type", "cannot change any more: members have values")
    if new.type is old.type:
        left = {option.code for option in new.options}
        for option in old.options:
            if option.code not in left and used:
                raise invalid("/options", f"must still have {option.code}: close it instead")


def read_value(attribute: Attribute, value: Any, pointer: str, *, kept: Any = None) -> AttributeValue:
    """A value as it is stored; ``ValidationFailed`` for what the definition does not allow.

    Closed options are good only where they stand in ``kept``, the value so far.
    """
    return _READERS[attribute.type](attribute, value, pointer, kept)


def _text(attribute: Attribute, value: Any, pointer: str, kept: Any) -> str:
    if not isinstance(value, str):
        raise invalid(pointer, "must be a text")
    text = unicodedata.normalize("NFC", value).strip()
    most = attribute.bounds.max_length or MOST_TEXT
    if not 1 <= len(text) <= most:
        raise invalid(pointer, f"must have 1 to {most} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI for char in text):
        raise invalid(pointer, "contains control characters")
    return text


def _number(attribute: Attribute, value: Any, pointer: str, kept: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise invalid(pointer, "must be a number")
    bounds = attribute.bounds
    if round(value, bounds.decimals or 0) != value:
        raise invalid(pointer, f"may have {bounds.decimals or 0} decimals at most")
    if bounds.at_least is not None and value < bounds.at_least:
        raise invalid(pointer, f"must be at least {bounds.at_least:g}")
    if bounds.at_most is not None and value > bounds.at_most:
        raise invalid(pointer, f"must be at most {bounds.at_most:g}")
    return int(value) if value == int(value) else value


def _date(attribute: Attribute, value: Any, pointer: str, kept: Any) -> str:
    day = read_date(value)
    if day is None:
        raise invalid(pointer, "must be a date like 2026-05-01")
    bounds = attribute.bounds
    if bounds.earliest is not None and day < bounds.earliest:
        raise invalid(pointer, f"must not be before {bounds.earliest}")
    if bounds.latest is not None and day > bounds.latest:
        raise invalid(pointer, f"must not be after {bounds.latest}")
    return day.isoformat()


def read_date(value: Any) -> date | None:
    """The day that a text of the form ``YYYY-MM-DD`` says, or None."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _boolean(attribute: Attribute, value: Any, pointer: str, kept: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid(pointer, "must be true or false")
    return value


def _choice(attribute: Attribute, value: Any, pointer: str, kept: Any) -> str:
    _check_options(attribute, [value], pointer, [kept])
    return str(value)


def _choices(attribute: Attribute, value: Any, pointer: str, kept: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise invalid(pointer, "must be a list of options, or null for none")
    if len(set(map(str, value))) != len(value):
        raise invalid(pointer, "names an option twice")
    most = attribute.bounds.most
    if most is not None and len(value) > most:
        raise invalid(pointer, f"may have {most} options at most")
    _check_options(attribute, value, pointer, kept if isinstance(kept, list) else [])
    order = [option.code for option in attribute.options]
    return sorted(value, key=order.index)


def _check_options(attribute: Attribute, values: Sequence[Any], pointer: str, kept: Sequence[Any]) -> None:
    options = {option.code: option for option in attribute.options}
    for value in values:
        if not isinstance(value, str) or value not in options:
            raise invalid(pointer, "is none of the options")
        if options[value].closed and value not in kept:
            raise invalid(pointer, f"{value} cannot be chosen any more")


_READERS = {
    AttributeType.TEXT: _text,
    AttributeType.NUMBER: _number,
    AttributeType.DATE: _date,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.CHOICE: _choice,
    AttributeType.CHOICES: _choices,
}


def sees(attribute: Attribute, reach: Reach, permissions: Collection[str] = ()) -> bool:
    """Whether somebody of that reach, with these permissions, sees an attribute; members need none."""
    return reach in attribute.seen_by and _holds(attribute.see_permission, reach, permissions)


def edits(attribute: Attribute, reach: Reach, permissions: Collection[str] = ()) -> bool:
    """Whether somebody of that reach, with these permissions, may change an attribute's values."""
    return (
        sees(attribute, reach, permissions)
        and reach in attribute.edited_by
        and _holds(attribute.edit_permission, reach, permissions)
    )


def _holds(permission: str | None, reach: Reach, permissions: Collection[str]) -> bool:
    return permission is None or reach is Reach.MEMBER or permission in permissions


def shown(
    values: Mapping[str, Any], definitions: Iterable[Attribute], reach: Reach, permissions: Collection[str] = ()
) -> dict[str, Any]:
    """A member's values as somebody sees them: what is archived or not theirs to see is left out.

    What no definition knows is from before there were any, and stays visible.
    """
    hidden = {one.code for one in definitions if one.archived or not sees(one, reach, permissions)}
    return {code: value for code, value in values.items() if code not in hidden}


def merge(
    stored: Mapping[str, Any],
    changes: Mapping[str, Any],
    definitions: Mapping[str, Attribute],
    reach: Reach,
    permissions: Collection[str] = (),
    *,
    pointer: str = "/attributes",
) -> dict[str, Any]:
    """A member's values with these changes in; None takes one away. ``ValidationFailed`` names each that is refused.

    What is as it was is no change, whoever sends it.
    """
    merged, wrong = dict(stored), list[FieldError]()
    for code, value in changes.items():
        at = f"{pointer}/{code}"
        try:
            _merge_one(merged, code, value, definitions.get(code), reach, permissions, at)
        except ValidationFailed as refused:
            wrong += refused.errors
    if wrong:
        raise ValidationFailed(f"{wrong[0].pointer}: {wrong[0].message}", errors=tuple(wrong))
    if len(merged) > max(ATTRIBUTES_MAX, len(stored)):
        raise invalid(pointer, f"may hold at most {ATTRIBUTES_MAX} attributes")
    return merged


def _merge_one(
    merged: dict[str, Any],
    code: str,
    value: Any,
    attribute: Attribute | None,
    reach: Reach,
    permissions: Collection[str],
    pointer: str,
) -> None:
    kept = merged.get(code)
    if attribute is None and value is None and code in merged:
        merged.pop(code, None)  # from before there were definitions: it may go
        return
    if attribute is None or attribute.archived or not sees(attribute, reach, permissions):
        raise invalid(pointer, "there is no such attribute")
    if value == kept and type(value) is type(kept):
        return
    if not edits(attribute, reach, permissions):
        raise invalid(pointer, "cannot be changed by you")
    if value is None:
        if attribute.required:
            raise invalid(pointer, "is required")
        merged.pop(code, None)
    else:
        merged[code] = read_value(attribute, value, pointer, kept=kept)


def check_required(values: Mapping[str, Any], definitions: Iterable[Attribute], reach: Reach) -> None:
    """Refuse where something is missing that is required and that somebody of this reach could fill in."""
    missing = [
        FieldError(f"/attributes/{one.code}", "is required")
        for one in definitions
        if one.required and not one.archived and edits(one, reach, ()) and one.code not in values
    ]
    if missing:
        raise ValidationFailed(f"{missing[0].pointer}: {missing[0].message}", errors=tuple(missing))


def index_rows(value: AttributeValue) -> list[tuple[str, float | None]]:
    """The texts and numbers that a value is found by; several of several choices."""
    if isinstance(value, bool):
        return [("true" if value else "false", None)]
    if isinstance(value, int | float):
        return [("", float(value))]
    return [(text, None) for text in (value if isinstance(value, list) else [value])]


def check_condition(condition: AttributeCondition, attribute: Attribute | None, pointer: str) -> None:
    """Refuse a condition that its attribute cannot meet."""
    if attribute is None or attribute.archived:
        raise invalid(f"{pointer}/code", "there is no such attribute")
    ranged = condition.at_least is not None or condition.at_most is not None
    if (condition.any_of is not None) + ranged + (condition.empty is not None) != 1:
        raise invalid(pointer, "must say one of any_of, at_least and at_most, or empty")
    for place, value in enumerate(condition.any_of or ()):
        _check_comparable(attribute, value, f"{pointer}/any_of/{place}")
    if ranged and attribute.type not in (AttributeType.NUMBER, AttributeType.DATE):
        raise invalid(pointer, f"has no range: its type is {attribute.type.value}")
    for name in ("at_least", "at_most"):
        end = getattr(condition, name)
        if end is not None:
            _check_comparable(attribute, end, f"{pointer}/{name}")
    if ranged and _crossed(condition.at_least, condition.at_most):
        raise invalid(f"{pointer}/at_most", "is below at_least")


def _check_comparable(attribute: Attribute, value: Any, pointer: str) -> None:
    if attribute.type in WITH_OPTIONS:
        if value not in {option.code for option in attribute.options}:
            raise invalid(pointer, "is none of the options")
    elif attribute.type is AttributeType.NUMBER:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid(pointer, "must be a number")
    elif attribute.type is AttributeType.BOOLEAN:
        if not isinstance(value, bool):
            raise invalid(pointer, "must be true or false")
    elif not isinstance(value, str):
        raise invalid(pointer, "must be a text")
    elif attribute.type is AttributeType.DATE and read_date(value) is None:
        raise invalid(pointer, "must be a date like 2026-05-01")


_OF_MEMBER = "(SELECT true FROM member_value v WHERE v.member_id = m.id AND v.attribute = $?{more}{most})"


def condition_sql(condition: AttributeCondition) -> tuple[str, list[Any]]:
    """A condition on ``member m`` with ``$?`` in place of each argument, and the arguments."""
    text, arguments = _value_of(condition, most="")
    return f"{'NOT ' if condition.empty else ''}EXISTS {text}", arguments


def asked_of_one(condition: AttributeCondition) -> tuple[str, list[Any]]:
    """The same as a question that is asked of one member after the other: the database makes no join of it."""
    text, arguments = _value_of(condition, most=" LIMIT 1")
    return f"{text} IS {'' if condition.empty else 'NOT '}NULL", arguments


def _value_of(condition: AttributeCondition, *, most: str) -> tuple[str, list[Any]]:
    if condition.empty is not None:
        return _OF_MEMBER.format(more="", most=most), [condition.code]
    text, arguments = value_sql(condition)
    return _OF_MEMBER.format(more=f" AND {text}", most=most), [condition.code, *arguments]


def value_sql(condition: AttributeCondition) -> tuple[str, list[Any]]:
    """What a row ``v`` of ``member_value`` must meet, for a condition that is not about being empty."""
    if condition.any_of is not None:
        rows = [index_rows(value)[0] for value in condition.any_of]
        numbers = [number for _, number in rows if number is not None]
        if numbers:
            return "v.number = ANY($?::float8[])", [numbers]
        return "v.text = ANY($?::text[])", [[text for text, _ in rows]]
    texts, arguments = list[str](), list[Any]()
    for sign, end in ((">=", condition.at_least), ("<=", condition.at_most)):
        if end is not None:
            texts.append(f"v.text {sign} $?" if isinstance(end, str) else f"v.number {sign} $?")
            arguments.append(end)
    return " AND ".join(texts), arguments


def worded(values: Mapping[str, Any], definitions: Iterable[Attribute]) -> dict[str, str]:
    """Values as one reads them, by the names of their attributes, in the order of forms; undefined ones by code."""
    known = {one.code: one for one in definitions}
    order = [*(code for code in known if code in values), *(code for code in values if code not in known)]
    return {known[code].name if code in known else code: _words(values[code], known.get(code)) for code in order}


def _words(value: Any, attribute: Attribute | None) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    names = {option.code: option.name for option in attribute.options} if attribute else {}
    return "、".join(names.get(one, str(one)) for one in (value if isinstance(value, list) else [value]))
