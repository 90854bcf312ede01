"""What callers are shown of letters."""

from __future__ import annotations

from collections.abc import Sequence

from . import rules
from .schemas import (
    ConsentChangeOut,
    ConsentOut,
    ConsentsOut,
    LetterOut,
    SaidOut,
    TemplateOut,
    TextOut,
    VariableOut,
)
from .types import Channel, Consent, ConsentChange, InboxLetter, Template


def letter(found: InboxLetter) -> LetterOut:
    """A letter as its member sees it."""
    return LetterOut(
        id=found.id,
        template=found.template,
        purpose=found.purpose,
        title=found.title,
        body=found.body,
        link=found.link,
        at=found.at,
        read_at=found.read_at,
    )


def consents(found: Sequence[Consent]) -> ConsentsOut:
    """Which letters a member wants."""
    return ConsentsOut([ConsentOut(item.channel, item.purpose, item.granted, item.at) for item in found])


def consent_change(found: ConsentChange) -> ConsentChangeOut:
    """A word of a member about letters."""
    return ConsentChangeOut(found.channel, found.purpose, found.granted, found.by, found.at)


def template(found: Template) -> TemplateOut:
    """A template as staff see it."""
    return TemplateOut(
        code=found.code,
        purpose=found.purpose,
        builtin=found.builtin,
        version=found.version,
        title=found.title,
        body=found.body,
        channels=list(found.channels),
        texts={
            channel: TextOut(text.title, text.body, text.template_id, text.fields)
            for channel, text in found.texts.items()
        },
        variables=[VariableOut(item.name, item.kind, item.label, item.sample) for item in found.variables],
        common=list(rules.COMMON),
    )


def said(channel: Channel, found: rules.Said) -> SaidOut:
    """What a letter says on a channel; ``characters`` are those of the body."""
    return SaidOut(channel, found.title, found.body, found.template_id, found.fields, len(found.body))
