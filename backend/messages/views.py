"""What callers are shown of letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from . import rules
from .queries.replies import Reply
from .schemas import (
    BatchDetail,
    BatchOut,
    ConsentChangeOut,
    ConsentOut,
    ConsentsOut,
    CountOut,
    LetterOut,
    LetterReplyOut,
    SaidOut,
    SentLetterOut,
    SubscriptionOut,
    SubscriptionsOut,
    TemplateOut,
    TextOut,
    VariableOut,
)
from .types import Batch, Channel, Consent, ConsentChange, Count, InboxLetter, SentLetter, Subscription, Template


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


def _batch_fields(found: Batch) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "template": found.template,
        "purpose": found.purpose,
        "values": found.given,
        "audience": found.audience,
        "link": found.link,
        "store_id": found.store_id,
        "state": found.state,
        "problem": found.problem,
        "expected": found.expected,
        "written": found.written,
        "send_at": found.send_at,
        "created_at": found.created_at,
        "started_at": found.started_at,
        "ended_at": found.ended_at,
        "version": found.version,
    }


def batch(found: Batch) -> BatchOut:
    """A batch in a list."""
    return BatchOut(**_batch_fields(found))


def batch_detail(found: Batch, counts: Sequence[Count]) -> BatchDetail:
    """A batch with its deliveries, counted."""
    shown = [CountOut(item.channel, item.state, item.reason, item.count) for item in counts]
    return BatchDetail(**_batch_fields(found), counts=shown)


def subscriptions(found: Sequence[Subscription]) -> SubscriptionsOut:
    """What a member may be sent through WeChat."""
    return SubscriptionsOut([SubscriptionOut(item.template_id, list(item.titles), item.available) for item in found])


def sent_letter(found: SentLetter) -> SentLetterOut:
    """A letter as staff see it."""
    return msgspec.convert(msgspec.to_builtins(found), SentLetterOut)


def letter_reply(found: Reply) -> LetterReplyOut:
    """An answer as its member sees it."""
    return LetterReplyOut(found.id, found.text, found.at)
