"""Head office keeps the texts of letters: every version stays, with who wrote it; the built-in's own is version 0."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.kernel import clock, db, logging
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.members import queries as members
from backend.members.types import Named, Status

from .. import queries, rules
from ..errors import MessageTemplateConflict
from ..schemas import PreviewIn, TemplateIn, VersionIn
from ..service import rendering
from ..types import Channel, Purpose, Template, Text, Variable, VariableKind

log = logging.get(__name__)

_SAMPLES = {VariableKind.NUMBER: "3", VariableKind.MONEY: "1280"}


async def get_template(code: str) -> Template:
    """A template as it is used now; ``NotFound`` for none."""
    found = await queries.find_template(code)
    if found is None:
        raise NotFound("there is no such template")
    return found


async def create_template(body: TemplateIn, staff_id: int) -> Template:
    """Add a template of staff's own; ``MessageTemplateConflict`` where there is one with that code."""
    made = _drafted(body.code, body.purpose, body, (), builtin=False)
    if queries.find_builtin(body.code) is not None:
        raise MessageTemplateConflict("a built-in template has that code")
    now = clock.now()
    async with db.transaction() as tx:
        (row,) = await db.fetch_in(tx, "SELECT count(*) FROM message_template WHERE NOT builtin")
        if row[0] >= queries.MOST:
            raise MessageTemplateConflict(f"there are {queries.MOST} templates; there may be no more")
        if not await _insert(tx, made, newest=1, now=now):
            raise MessageTemplateConflict
        await _add_version(tx, made, staff_id, now)
        await queries.changes.note(tx, body.code, staff_id, "create", {"version": 1}, now)
    queries.forget_templates()
    return await get_template(body.code)


async def write_version(code: str, body: VersionIn, staff_id: int) -> Template:
    """Put another text in the place of a template's, from the next letter on; what was sent stays as it was."""
    current = await get_template(code)
    made = _drafted(code, current.purpose, body, current.variables, builtin=current.builtin)
    async with db.transaction() as tx:
        now = clock.now()
        if current.builtin:
            await _insert(tx, msgspec.structs.replace(current, version=0), newest=0, now=now)
        _, newest = await _lock(tx, code)
        made = msgspec.structs.replace(made, version=newest + 1)
        await _add_version(tx, made, staff_id, now)
        await db.raw(tx).execute(
            "UPDATE message_template SET version = $2, newest = $2, updated_at = $3 WHERE code = $1",
            code,
            made.version,
            now,
        )
        await queries.changes.note(tx, code, staff_id, "write", {"version": made.version}, now)
    queries.forget_templates()
    log.info("messages.template_written", template=code, version=made.version, staff_id=staff_id)
    return await get_template(code)


async def use_version(code: str, version: int, staff_id: int) -> Template:
    """Write letters with an earlier text again; 0 is a built-in's own. Repeated, it changes nothing."""
    current = await get_template(code)
    if await queries.find_version(code, version) is None:
        raise NotFound("there is no such version")
    async with db.transaction() as tx:
        now = clock.now()
        if current.builtin:
            await _insert(tx, msgspec.structs.replace(current, version=0), newest=0, now=now)
        used, _ = await _lock(tx, code)
        if used != version:
            await db.raw(tx).execute(
                "UPDATE message_template SET version = $2, updated_at = $3 WHERE code = $1", code, version, now
            )
            await queries.changes.note(tx, code, staff_id, "use", {"version": version}, now)
    queries.forget_templates()
    return await get_template(code)


async def preview(code: str, body: PreviewIn, *, store_id: str | None) -> list[tuple[Channel, rules.Said]]:
    """What a letter says on each channel: to a sample member, or to one that the caller may see (``NotFound``).

    Variables that are given no value say their sample.
    """
    template = await get_template(code)
    if body.draft is not None:
        template = _drafted(code, template.purpose, body.draft, template.variables, builtin=template.builtin)
    named = await _named(body.member_no, store_id)
    values = _samples(template) | dict(body.values)
    try:
        shown = rendering.values(template, values, named)
    except ValueError:
        raise invalid("/values", "a value is none of its variable's kind") from None
    return [(channel, rules.said(template, channel, shown)) for channel in template.channels]


async def _named(member_no: str | None, store_id: str | None) -> Named:
    if member_no is None:
        level = next(iter((await members.levels()).values()), None)
        return Named(0, "100000000001", "王小明", level.name if level else "", Status.ACTIVE, None)
    member_id = await members.find_id_by_number(member_no)
    found = (await members.list_named([member_id])).get(member_id) if member_id is not None else None
    if found is None or (store_id is not None and found.store_id != store_id):
        raise NotFound("there is no such member")
    return found


def _samples(template: Template) -> dict[str, str]:
    kinds = {variable.name: variable for variable in template.variables}
    names = rules.names_in(*rules.texts_of(template)) - set(rules.COMMON)
    return {name: _sample(kinds.get(name, Variable(name))) for name in names}


def _sample(variable: Variable) -> str:
    now = clock.now()
    if variable.sample:
        return variable.sample
    if variable.kind is VariableKind.DATE:
        return clock.local_date(now, settings().timezone).isoformat()
    if variable.kind is VariableKind.TIME:
        return now.isoformat()
    return _SAMPLES.get(variable.kind, variable.label or variable.name)


def _drafted(
    code: str, purpose: Purpose, body: VersionIn, variables: tuple[Variable, ...], *, builtin: bool
) -> Template:
    """The template that a body describes; refuses what could not be sent."""
    if body.variables is not None:
        if builtin:
            raise invalid("/variables", "are the built-in's own")
        variables = tuple(Variable(item.name, item.kind, item.label, item.sample) for item in body.variables)
    made = Template(
        code=code,
        purpose=purpose,
        version=1,
        title=body.title,
        body=body.body,
        channels=body.channels,
        variables=variables,
        texts={
            channel: Text(text.title, text.body, text.template_id, dict(text.fields))
            for channel, text in body.texts.items()
        },
        builtin=builtin,
    )
    _check(made, _known_names(made))
    return made


def _known_names(template: Template) -> set[str]:
    known = {variable.name for variable in template.variables} | set(rules.COMMON)
    own = queries.find_builtin(template.code)
    return known | rules.names_in(own.title, own.body) if own is not None else known


def _check(template: Template, known: set[str]) -> None:
    names = [variable.name for variable in template.variables]
    if len(set(names)) < len(names) or not set(names).isdisjoint(rules.COMMON):
        raise invalid("/variables", "each name once, and none that every template has")
    for variable in template.variables:
        try:
            rules.shown(_sample(variable), variable.kind, clock.zone(settings().timezone))
        except ValueError:
            raise invalid("/variables", f"the sample of {variable.name} is none of its kind") from None
    if len(set(template.channels)) < len(template.channels):
        raise invalid("/channels", "each channel at most once")
    _check_names("/title", template.title, known)
    _check_names("/body", template.body, known)
    for channel, text in template.texts.items():
        if channel not in template.channels:
            raise invalid(f"/texts/{channel.value}", "is none of the channels")
        for content in (text.title or "", text.body or "", *text.fields.values()):
            _check_names(f"/texts/{channel.value}", content, known)
    if Channel.WECHAT in template.channels:
        provider = template.texts.get(Channel.WECHAT, Text())
        if not (provider.template_id and provider.fields):
            raise invalid("/texts/wechat", "needs the id of WeChat's template and its fields")


def _check_names(pointer: str, text: str, known: set[str]) -> None:
    unknown = sorted(rules.names_in(text) - known)
    if unknown:
        raise invalid(pointer, f"there is no variable {unknown[0]}")


async def _insert(tx: Tx, made: Template, *, newest: int, now: datetime) -> bool:
    """A template's row; False where there is one with that code."""
    made_rows = await db.fetch_in(
        tx,
        "INSERT INTO message_template (code, purpose, version, newest, builtin, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (code) DO NOTHING RETURNING 1",
        made.code,
        made.purpose.value,
        made.version,
        newest,
        made.builtin,
        now,
    )
    return bool(made_rows)


async def _add_version(tx: Tx, made: Template, staff_id: int, now: datetime) -> None:
    await db.raw(tx).execute(
        "INSERT INTO message_template_version (code, version, title, body, channels, variables, texts, staff_id, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        made.code,
        made.version,
        made.title,
        made.body,
        [channel.value for channel in made.channels],
        msgspec.json.encode(made.variables).decode(),
        msgspec.json.encode(made.texts).decode(),
        staff_id,
        now,
    )


async def _lock(tx: Tx, code: str) -> tuple[int, int]:
    """The version that is used and the newest one, of a template that nobody else changes now."""
    rows = await db.fetch_in(tx, "SELECT version, newest FROM message_template WHERE code = $1 FOR UPDATE", code)
    if not rows:
        raise NotFound("there is no such template")
    return rows[0]["version"], rows[0]["newest"]
