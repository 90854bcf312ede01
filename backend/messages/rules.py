"""What a letter says, and when it may go: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from backend.kernel import clock

from .types import Channel, Purpose, State, Template, Text, Variable, VariableKind

MOST_TITLE = 60
MOST_BODY = 2000
MOST_VALUE = 500
MOST_ONCE = 80
MOST_LINK = 200

VARIABLE = re.compile(r"\{([a-z][a-z0-9_]{0,31})\}")
_WHOLE = re.compile(r"-?[0-9]{1,15}\Z")
_LINK = re.compile(r"#/[\x21-\x7e]*\Z")

# A delivery goes forward only: what may become what.
_BEFORE: dict[State, frozenset[State]] = {
    State.SENT: frozenset({State.SENDING}),
    State.DELIVERED: frozenset({State.SENDING, State.SENT}),
    State.OPENED: frozenset({State.SENDING, State.SENT, State.DELIVERED}),
    State.CLICKED: frozenset({State.SENDING, State.SENT, State.DELIVERED, State.OPENED}),
    State.BOUNCED: frozenset({State.SENDING, State.SENT, State.DELIVERED}),
    State.FAILED: frozenset({State.SENDING, State.SENT}),
}


def names_in(*texts: str) -> set[str]:
    """The variables that stand in these texts."""
    return {name for text in texts for name in VARIABLE.findall(text)}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in; a value is taken as it is, never read as a text with variables.

    ``KeyError`` names a variable without a value.
    """
    return VARIABLE.sub(lambda match: values[match[1]], text)


COMMON = ("member_name", "member_no", "level", "chain")
"""Variables that every template has: they are read off the member when the letter is written."""

_WECHAT_MOST = {
    "thing": 20,
    "character_string": 32,
    "letter": 32,
    "number": 32,
    "symbol": 5,
    "name": 10,
    "phrase": 5,
    "phone_number": 17,
    "car_number": 8,
    "const": 20,
}
"""Characters that WeChat takes in a field, by its kind. Source: WeChat's page on subscribe messages, parameters."""


class Said(msgspec.Struct, frozen=True):
    """What a letter says on one channel."""

    title: str
    body: str
    template_id: str | None = None
    fields: dict[str, str] = {}


def said(template: Template, channel: Channel, values: Mapping[str, str]) -> Said:
    """What a template says on a channel; ``KeyError`` names a variable without a value."""
    text = template.texts.get(channel, Text())
    fields = {name: wechat_field(name, fill(content, values)) for name, content in text.fields.items()}
    return Said(
        fill(text.title if text.title is not None else template.title, values),
        fill(text.body if text.body is not None else template.body, values),
        text.template_id,
        fields,
    )


def wechat_field(name: str, value: str) -> str:
    """A value as WeChat takes it in the field of that name (``thing1``): as long as its kind may be, never empty."""
    most = _WECHAT_MOST.get(name.rstrip("0123456789"), 64)
    line = " ".join(value.split()) or "-"
    return line if len(line) <= most else f"{line[: most - 1]}…"


def texts_of(template: Template) -> list[str]:
    """Every text of a template in which variables may stand."""
    texts = [template.title, template.body]
    for text in template.texts.values():
        texts += [text.title or "", text.body or "", *text.fields.values()]
    return texts


def shown(value: str, kind: VariableKind, zone: ZoneInfo) -> str:
    """A variable's value as members read it; ``ValueError`` for what is none of that kind."""
    if len(value) > MOST_VALUE:
        raise ValueError(f"more than {MOST_VALUE} characters")
    match kind:
        case VariableKind.TEXT:
            return value
        case VariableKind.NUMBER:
            return str(_whole(value))
        case VariableKind.MONEY:
            fen = _whole(value)
            sign, yuan, rest = "-" if fen < 0 else "", abs(fen) // 100, abs(fen) % 100
            return f"{sign}¥{yuan}.{rest:02}"
        case VariableKind.DATE:
            on = date.fromisoformat(value)
            _check_year(on.year)
            return on.strftime("%Y-%m-%d")
        case VariableKind.TIME:
            at = datetime.fromisoformat(value)
            if at.tzinfo is None:
                raise ValueError("an instant has a zone")
            _check_year(at.year)
            return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _whole(value: str) -> int:
    """Digits and nothing else: no other scripts' digits, no spaces, underscores or signs but a minus."""
    if not _WHOLE.match(value):
        raise ValueError("no whole number")
    return int(value)


def _check_year(year: int) -> None:
    """Beyond these years an instant of another zone may be none of the calendar's."""
    if year not in clock.YEARS:
        raise ValueError("out of range")


def shown_values(values: Mapping[str, str], variables: Sequence[Variable], zone: ZoneInfo) -> dict[str, str]:
    """Every value as members read it; those that no variable is declared for are texts."""
    kinds = {variable.name: variable.kind for variable in variables}
    return {name: shown(value, kinds.get(name, VariableKind.TEXT), zone) for name, value in values.items()}


def is_link(link: str) -> bool:
    """Whether this is an address of the phone page, and of nothing else."""
    return len(link) <= MOST_LINK and _LINK.match(link) is not None


def needs_consent(purpose: Purpose) -> bool:
    """Whether a member must have agreed to be written to for that; their own affairs they hear of anyway."""
    return purpose is not Purpose.SERVICE


def shown_at_once(purpose: Purpose, channels: Sequence[Channel], send_at: datetime | None, now: datetime) -> bool:
    """Whether a letter stands in the inbox as soon as it is written: nothing about it is to be looked at first."""
    return Channel.INBOX in channels and not needs_consent(purpose) and (send_at is None or send_at <= now)


def may_become(new: State) -> frozenset[State]:
    """The states from which a delivery may be reported to be in that one."""
    return _BEFORE.get(new, frozenset())


def quiet_until(now: datetime, begins: time, ends: time, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end that it is now in, or None outside of them; ``begins`` after ``ends`` is over midnight.

    Both are times of day in the chain's zone; the same one twice is never quiet.
    """
    local = now.astimezone(zone)
    at = local.time().replace(tzinfo=None)
    over_midnight = begins > ends
    within = (at >= begins or at < ends) if over_midnight else begins <= at < ends
    if not within:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and at >= begins else local.date()
    return datetime.combine(day, ends, tzinfo=zone)


def retry_after_s(attempts: int, asked_s: float) -> float:
    """Seconds until the next try: what the channel asked for, or 30 s doubled with each try, an hour at most."""
    return min(max(asked_s, 30.0 * float(1 << (attempts - 1))), 3600.0)
