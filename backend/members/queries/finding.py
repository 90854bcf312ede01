"""Members by a filter, newest first, page by page, with work that is bounded whatever is asked for.

A list that only columns with an index of the list's own order limit is read from that index. Attributes, names and
ends of membership have indexes of their own order. There a *source* gives members, newest first, and the rest of the
filter is asked of them: the rows of one value; the few that a range or the beginning of a name meets; else everybody.
No page asks more than ``LOOKED_AT`` questions of members of a source; one that found fewer than were asked for says
where to go on, as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.paging import Place

from ..rules import attributes as rules
from ..types import AttributeCondition, Member, MemberFilter
from .people import MEMBER, member_of

LOOKED_AT = 3_000
"""Members that a page looks at, where one question is asked of each; of more questions that part."""

LEAST = 200
"""Members of a source, and of each of its values, that a page looks at in any case."""

FEW = 5_000
"""Up to so many members that a range meets, they are sorted; of more, one soon comes by among everybody."""

_PROBE = "SELECT count(*) FROM (SELECT FROM {source} LIMIT {most}) AS few"
_ORDERED = "{source} ORDER BY at DESC, id LIMIT {looked_at}"
_PAGE = "SELECT m.id, m.at FROM ({seen}) AS m WHERE {conditions} ORDER BY m.at DESC, m.id LIMIT {limit}"
_JOINED = (
    "SELECT s.id, s.at FROM ({seen}) AS s JOIN member m ON m.id = s.id WHERE {conditions}"
    " ORDER BY s.at DESC, s.id LIMIT {limit}"
)
_LAST = "SELECT id, at FROM ({seen}) AS seen ORDER BY at DESC, id OFFSET {most} - 1"


@dataclass
class _Sql:
    """Arguments as they are numbered."""

    arguments: list[Any] = field(default_factory=list)

    def put(self, text: str, *given: Any) -> str:
        """The text with a number in each place of ``$?``."""
        for argument in given:
            self.arguments.append(argument)
            text = text.replace("$?", f"${len(self.arguments)}", 1)
        return text


@dataclass(frozen=True)
class _Source:
    """Members newest first, as ``id`` and ``at``, at how many of them a page looks at most, and whether ``others`` than
    meet the conditions on columns may be among them."""

    sql: str
    looked_at: int
    others: bool = False


@dataclass(frozen=True)
class Page:
    """Members, and where the next page begins; None at the end."""

    items: list[Member]
    next: Place | None


async def find_members(wanted: MemberFilter, *, after: Place | None, limit: int) -> Page:
    """A page of the members who meet the filter, newest first, from after that place on."""
    asked = await ask(wanted, after, limit + 1)
    found = [(row["at"], row["id"]) for row in await db.fetch(asked.page, *asked.arguments)]
    page, following = found[:limit], None
    if len(found) > limit:
        following = page[-1]
    elif asked.last is not None:  # fewer than asked for: were all of them looked at?
        row = await db.fetchrow(asked.last, *asked.arguments[: asked.of_last])
        following = (row["at"], row["id"]) if row else None
    rows = await db.fetch(f"{MEMBER} WHERE id = ANY($1::bigint[])", [member_id for _, member_id in page])
    known = {row["id"]: row for row in rows}
    items = [await member_of(known[member_id]) for _, member_id in page if member_id in known]
    return Page(items, (following[0], str(following[1])) if following else None)


@dataclass(frozen=True)
class Asked:
    """The statement of a page; and that of the last member it looks at, which takes the first few arguments."""

    page: str
    arguments: list[Any]
    last: str | None = None
    of_last: int = 0


async def ask(wanted: MemberFilter, after: Place | None, limit: int) -> Asked:
    """How a page of so many is read, as ``id`` and ``at``."""
    out, first = _Sql(), next((one for one in wanted.attributes if one.any_of is not None), None)
    dear = _dear(wanted, met=first)
    most = max(LOOKED_AT // max(len(dear), 1), LEAST)
    source = _of_value(first, after, out, most) if first else await _of_few(wanted, after, out, most)
    if source is None:
        walk = _walk([*_plain(wanted, out), *_after(after, out, "m.created_at", "m.id")])
        if not dear:
            return Asked(_ORDERED.format(source=walk, looked_at=limit), out.arguments)
        source = _Source(walk, most)
    seen, of_seen = _ORDERED.format(source=source.sql, looked_at=source.looked_at), len(out.arguments)
    conditions = [*(_plain(wanted, out) if source.others else ()), *(out.put(text, *given) for text, given in dear)]
    page = (_JOINED if source.others else _PAGE).format(seen=seen, conditions=" AND ".join(conditions), limit=limit)
    return Asked(page, out.arguments, _LAST.format(seen=seen, most=source.looked_at), of_seen)


def _walk(conditions: list[str]) -> str:
    """Members by columns; with whatever the dear conditions ask of one."""
    return f"SELECT m.id, m.created_at AS at, m.name, m.valid_until FROM member m WHERE {' AND '.join(conditions)}"  # noqa: S608


def _after(after: Place | None, out: _Sql, at: str, of: str) -> list[str]:
    if after is None:
        return []
    instant, last = after[0], int(after[1])
    return [out.put(f"{at} <= $? AND ({at} < $? OR {of} > $?)", instant, instant, last)]


def _plain(wanted: MemberFilter, out: _Sql) -> list[str]:
    """Conditions on columns that have an index in the list's order."""
    zone = clock.zone(settings().timezone)
    texts = []
    if wanted.status is None:
        texts.append("m.status NOT IN ('merged', 'erased')")
    else:
        texts.append(f"m.status = '{wanted.status.value}'")  # in the text: the planner must see whether it is rare
    for column in ("store_id", "level_id", "stage", "card_type"):
        value = getattr(wanted, column.removesuffix("_id") if column == "level_id" else column)
        if value is not None:
            texts.append(out.put(f"m.{column} = $?", str(value)))
    if wanted.registered_from is not None:
        texts.append(out.put("m.created_at >= $?", _midnight(wanted.registered_from, zone)))
    if wanted.registered_until is not None:
        texts.append(out.put("m.created_at < $?", _midnight(wanted.registered_until + timedelta(days=1), zone)))
    return texts


def _dear(wanted: MemberFilter, *, met: AttributeCondition | None) -> list[tuple[str, list[Any]]]:
    """Conditions whose indexes have another order: attributes, the beginning of a name, the end of a membership; but
    for the one that the source has ``met``."""
    texts = [rules.asked_of_one(condition) for condition in wanted.attributes if condition is not met]
    return texts + [(text, given) for _, text, given in _ranges(wanted)]


def _ranges(wanted: MemberFilter) -> list[tuple[str, str, list[Any]]]:
    """Of each condition on a column: the column, the condition, its arguments."""
    found: list[tuple[str, str, list[Any]]] = []
    if wanted.name is not None:
        escaped = wanted.name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        found.append(("name", "m.name LIKE $?", [f"{escaped}%"]))
    if wanted.valid_until_from is not None:
        found.append(("valid_until", "m.valid_until >= $?", [wanted.valid_until_from]))
    if wanted.valid_until_to is not None:
        found.append(("valid_until", "m.valid_until <= $?", [wanted.valid_until_to]))
    return found


# Without ALL: somebody may have several of the values.
_UNION = "SELECT id, at FROM ({parts}) AS u"
_PART = (
    "(SELECT v.member_id AS id, v.joined_at AS at FROM member_value v WHERE {conditions}"
    " ORDER BY v.joined_at DESC, v.member_id LIMIT {most})"
)
_VALUES = "SELECT v.member_id AS id, v.joined_at AS at FROM member_value v WHERE {conditions}"


def _of_value(one: AttributeCondition, after: Place | None, out: _Sql, most: int) -> _Source:
    """The rows of one attribute's values, newest first."""
    values = [rules.index_rows(value)[0] for value in dict.fromkeys(one.any_of or ())]
    most = max(most // len(values), LEAST)  # of each value, as of all together: so none is left out
    parts = []
    for text, number in values:
        equal = ("v.number IS NULL AND v.text = $?", text) if number is None else ("v.number = $?", number)
        conditions = [out.put("v.attribute = $?", one.code), out.put(*equal)]
        conditions += _after(after, out, "v.joined_at", "v.member_id")
        parts.append(_PART.format(conditions=" AND ".join(conditions), most=most))
    return _Source(_UNION.format(parts=" UNION ".join(parts)), most, others=True)


async def _of_few(wanted: MemberFilter, after: Place | None, out: _Sql, most: int) -> _Source | None:
    """The members whom a range or the beginning of a name meets, where they are few."""
    for condition in wanted.attributes:
        if condition.empty is None:
            text, given = rules.value_sql(condition)
            text, given = f"v.attribute = $? AND {_partial(condition)} AND {text}", [condition.code, *given]
            if await _is_few(f"member_value v WHERE {text}", given):
                conditions = [out.put(text, *given), *_after(after, out, "v.joined_at", "v.member_id")]
                return _Source(_VALUES.format(conditions=" AND ".join(conditions)), most, others=True)
    for part in ("name", "valid_until"):
        group = [(text, given) for name, text, given in _ranges(wanted) if name == part]
        text, given = " AND ".join(text for text, _ in group), [one for _, given in group for one in given]
        if group and await _is_few(f"member m WHERE {text}", given):
            walk = _walk([out.put(text, *given), *_after(after, out, "m.created_at", "m.id")])
            return _Source(walk, most, others=True)
    return None


def _partial(condition: AttributeCondition) -> str:
    """What lets the index of numbers, or that of texts, be used."""
    ends = (condition.at_least, condition.at_most)
    return "v.number IS NULL" if any(isinstance(end, str) for end in ends) else "v.number IS NOT NULL"


async def _is_few(source: str, given: list[Any]) -> bool:
    probe = _Sql()
    text = probe.put(_PROBE.format(source=source, most=FEW + 1), *given)
    return int(await db.fetchval(text, *probe.arguments)) <= FEW


def _midnight(on: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(on, time(), zone)
