"""What staff say of products: values of the kind that their definition asks for, and how filters name them."""

from __future__ import annotations

from collections.abc import Mapping

from ..types import Attribute, AttributeKind

Value = str | int | float | bool
LONGEST_VALUE = 100
MOST_VALUES = 30


def check_value(attribute: Attribute, value: object) -> str | None:
    """Why a value is none of this attribute; None where it is one."""
    match attribute.kind:
        case AttributeKind.FLAG:
            return None if isinstance(value, bool) else "is not yes or no"
        case AttributeKind.NUMBER:
            fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
            return None if fits else "is not a number"
        case AttributeKind.CHOICE:
            return None if value in attribute.choices else "is none of its choices"
        case AttributeKind.TEXT:
            fits = isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE and value.isprintable()
            return None if fits and ";" not in str(value) else "is not a text of at most 100 characters without ;"


def read_value(attribute: Attribute, text: str) -> Value | None:
    """A value as a filter or a table's cell has it (``海南``, ``2.5``, ``true`` or ``是``); None for what is none."""
    value: Value = text
    if attribute.kind is AttributeKind.FLAG:
        flag = read_flag(text)
        if flag is None:
            return None
        value = flag
    elif attribute.kind is AttributeKind.NUMBER:
        try:
            number = float(text)
        except ValueError:
            return None
        value = int(number) if number.is_integer() and abs(number) < 1e12 else number
    return value if check_value(attribute, value) is None else None


def read_flag(text: str) -> bool | None:
    """Yes or no as a cell has it (``是``, ``true``, ``1``); None for what is neither."""
    return _FLAGS.get(text.lower())


_FLAGS = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}


def read_filter(attributes: Mapping[str, Attribute], text: str) -> dict[str, Value] | None:
    """What ``origin:海南,storage:冷藏`` asks for; None where that is no filter."""
    wanted: dict[str, Value] = {}
    for part in text.split(","):
        code, colon, value = part.partition(":")
        attribute = attributes.get(code)
        if not colon or attribute is None or not attribute.filtered or code in wanted:
            return None
        read = read_value(attribute, value)
        if read is None:
            return None
        wanted[code] = read
    return wanted
