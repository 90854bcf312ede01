"""What a letter's variables stand for: the values it was given, and what is read off its member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.kernel import clock
from backend.kernel.config import settings
from backend.members import queries as members
from backend.members.types import Named

from .. import queries, rules
from ..types import Letter, Template

_UNKNOWN = dict.fromkeys(rules.COMMON, "")


async def values_of(letters: Sequence[Letter]) -> list[tuple[Letter, Template, dict[str, str]]]:
    """Each letter with its template as it is now and the values of all variables, as members read them.

    ``KeyError`` for a template that is not there.
    """
    templates = {code: await _template(code) for code in {letter.template for letter in letters}}
    personal = {code for code, template in templates.items() if is_personal(template)}
    asked = sorted({letter.member_id for letter in letters if letter.template in personal})
    named = await members.list_named(asked) if asked else {}
    return [
        (letter, template, values(template, letter.values, named.get(letter.member_id)))
        for letter in letters
        for template in (templates[letter.template],)
    ]


def is_personal(template: Template) -> bool:
    """Whether a text of it says something that is read off the member."""
    return not rules.names_in(*rules.texts_of(template)).isdisjoint(rules.COMMON)


def values(template: Template, given: Mapping[str, str], named: Named | None) -> dict[str, str]:
    """The values of a template's variables for one member, as members read them; what was given goes first."""
    of_member = {"chain": settings().chain_name}
    if named is not None:
        of_member |= {"member_name": named.name, "member_no": named.member_no, "level": named.level}
    shown = rules.shown_values(given, template.variables, clock.zone(settings().timezone))
    return _UNKNOWN | of_member | shown


async def _template(code: str) -> Template:
    found = await queries.find_template(code)
    if found is None:
        raise KeyError(f"there is no template {code}")
    return found
