"""What of a purchase is kept, and how an audience is asked for: pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from backend.kernel import clock
from backend.members.queries import attribute_condition
from backend.members.types import Status

from .types import Audience

BOUGHT = frozenset(
    {
        *("completed", "partly_refunded", "refunded"),  # at a till
        *("paid", "shipped", "ready_for_pickup", "received", "completed"),  # in the mall
    }
)
"""The states of a purchase that was paid for; what came back of it is taken off."""


_NOBODY = frozenset({"none", "merged", "erased"})


class _Line(msgspec.Struct):
    sku: str
    qty: int
    line_no: int = 1


class _Body(msgspec.Struct):
    lines: list[_Line] = []
    payable_fen: int = 0


class _Progress(msgspec.Struct):
    line_qty: list[int] = []
    refunded_fen: int = 0


def pieces_kept(state: str, body: Mapping[str, Any], progress: Mapping[str, Any]) -> dict[str, int]:
    """Pieces by SKU that a purchase's document says were bought and not given back; only what is above nothing.

    A purchase whose whole price was given back is none, also where nobody said which pieces came back. The fee for
    delivery, which stands among an order's lines below the first, is no article.
    """
    if state not in BOUGHT:
        return {}
    bought, back = msgspec.convert(body, _Body), msgspec.convert(progress, _Progress)
    if 0 < bought.payable_fen <= back.refunded_fen:
        return {}
    kept = Counter[str]()
    for place, line in enumerate(bought.lines):
        if line.line_no < 1:
            continue
        kept[line.sku] += line.qty - (back.line_qty[place] if place < len(back.line_qty) else 0)
    return {sku: qty for sku, qty in sorted(kept.items()) if qty > 0}


_BUYERS = (
    "m.id IN (SELECT b.member_id FROM audience_bought b WHERE b.sku = ANY($?::text[]) AND b.last_on >= $?"
    " AND b.member_id > $?)"
)


def spent_fen(state: str, body: Mapping[str, Any], progress: Mapping[str, Any]) -> int:
    """What a purchase's document says was paid and not given back."""
    if state not in BOUGHT:
        return 0
    bought, back = msgspec.convert(body, _Body), msgspec.convert(progress, _Progress)
    return max(0, bought.payable_fen - back.refunded_fen)


_AMONG = {
    "levels": "level_id",
    "store_ids": "store_id",
    "stages": "stage",
    "genders": "gender",
    "member_nos": "member_no",
    "card_types": "card_type",
}
"""Conditions that name values of a member's column."""


def conditions(audience: Audience, *, today: date, zone: ZoneInfo, after: int = 0) -> tuple[list[str], list[Any]]:
    """The audience as conditions on ``member m`` and their arguments, of which the first is ``$1``.

    ``after``: nobody up to that id is asked about. It is said of the purchases, too: the database does not conclude it
    from the members', and would read those of everybody before a page again for each page.
    """
    texts, arguments = [_of_status(audience.statuses)], list[Any]()

    def add(text: str, *given: Any) -> None:
        for argument in given:
            arguments.append(argument)
            text = text.replace("$?", f"${len(arguments)}", 1)
        texts.append(text)

    for name, column in _AMONG.items():
        if (values := getattr(audience, name)) is not None:
            add(f"m.{column} = ANY($?::text[])", [str(value) for value in values])
    if audience.birthday_months is not None:
        texts.append(_in_months(audience.birthday_months))
    if audience.valid_until_from is not None:
        add("m.valid_until >= $?", audience.valid_until_from)
    if audience.valid_until_to is not None:
        add("m.valid_until <= $?", audience.valid_until_to)
    if audience.registered_from is not None:
        add("m.created_at >= $?", _midnight(audience.registered_from, zone))
    if audience.registered_until is not None:
        until = min(audience.registered_until, date.max - timedelta(days=1))
        add("m.created_at < $?", _midnight(until + timedelta(days=1), zone))
    for condition in audience.attributes or ():
        text, given = attribute_condition(condition)
        add(text, *given)
    if audience.bought_skus is not None:
        days = audience.bought_within_days
        since = date.min if days is None else today - timedelta(days=days)
        add(_BUYERS, list(audience.bought_skus), since, after)
        texts.append("m.unprofiled IS NOT TRUE")  # who said no is not chosen by what they bought
    return texts, arguments


def _of_status(statuses: Sequence[Status] | None) -> str:
    """In the text: the planner must see whether it is a rare one. Who was refused, merged or erased is never meant."""
    meant = sorted({one.value for one in statuses or (Status.ACTIVE,)} - _NOBODY)
    return "m.status IN ({})".format(", ".join(f"'{one}'" for one in meant)) if meant else "false"


def _in_months(months: Sequence[int]) -> str:
    """As ``members`` has birthdays indexed: month × 100 + day."""
    day = "(extract(month FROM m.birthday)::int * 100 + extract(day FROM m.birthday)::int)"
    among = " OR ".join(f"{day} BETWEEN {month * 100 + 1} AND {month * 100 + 31}" for month in sorted(set(months)))
    return f"(m.birthday IS NOT NULL AND ({among}))"


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    """The day's first instant; of days beyond ``clock.YEARS``, when nobody joined, the first or last of these years."""
    first, last = date(clock.YEARS.start, 1, 1), date(clock.YEARS.stop, 1, 1)
    return datetime.combine(min(max(on, first), last), time(), zone)
