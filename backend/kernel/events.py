"""Facts that one domain states and others act on, at least once, after the transaction that made them true.

An event is written to the outbox in that same transaction; the relay (``kernel.outbox``, in the worker) hands it to
every handler registered for it. Handlers are idempotent: a crash between handling and forgetting brings it again.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Iterable
from importlib.util import find_spec
from typing import Any, TypeVar

import msgspec

from . import clock
from .db import Tx, raw


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every fact, named noun + past (``SaleCompleted``); the class name is its name for good.

    Every event concerns one member. It carries ids and amounts, never personal data: it is stored and read again by the
    next release, so a field that is added needs a default, and none is renamed.
    """

    member_id: int

    def __init_subclass__(cls) -> None:
        known = _kinds.setdefault(cls.__name__, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"two events are called {cls.__name__}: in {known.__module__} and in {cls.__module__}")
        _kinds[cls.__name__] = cls


E = TypeVar("E", bound=Event)
Handler = Callable[[E, Tx], Awaitable[None]]

_kinds: dict[str, type[Event]] = {}
_handlers: dict[str, list[Handler[Any]]] = {}


def on(kind: type[E]) -> Callable[[Handler[E]], Handler[E]]:
    """Register ``async def handler(event, tx)``: it runs in the relay's transaction, each event's handlers in one.

    Raise to have the event tried again later. Other domains are told by further events, the outside by a job.
    """

    def register(handler: Handler[E]) -> Handler[E]:
        _handlers.setdefault(kind.__name__, []).append(handler)
        return handler

    return register


def encode(event: Event) -> dict[str, Any]:
    """The event as the outbox and the ledger's plans carry it: ``{"name": "SaleCompleted", "body": {…}}``."""
    return {"name": type(event).__name__, "body": msgspec.to_builtins(event)}


def decode(name: str, body: str | bytes) -> Event:
    """The event back from its stored JSON; fields this release does not know are dropped."""
    return msgspec.json.decode(body, type=_kinds[name])


def known_names() -> list[str]:
    """The names of every event this process has imported."""
    return sorted(_kinds)


async def publish(tx: Tx, event: Event) -> None:
    """Write the event to the outbox on this transaction: it happens if and only if the transaction commits."""
    await publish_many(tx, (event,))


async def publish_many(tx: Tx, events: Iterable[Event]) -> None:
    """Write several events in one statement, in order."""
    rows = [(event.member_id, type(event).__name__, msgspec.json.encode(event).decode()) for event in events]
    if not rows:
        return
    await raw(tx).execute(
        """INSERT INTO outbox (member_id, name, body, at)
           SELECT member_id, name, body::jsonb, $4
             FROM unnest($1::bigint[], $2::text[], $3::text[]) WITH ORDINALITY AS e (member_id, name, body, place)
            ORDER BY place""",
        *(list(column) for column in zip(*rows, strict=True)),
        clock.now(),
    )
    await raw(tx).execute("NOTIFY outbox")


def handlers_of(name: str) -> tuple[Handler[Any], ...]:
    """The handlers of an event's name, in the order they were registered."""
    return tuple(_handlers.get(name, ()))


def handled_names() -> list[str]:
    """The names of the events that somebody handles."""
    return sorted(name for name, handlers in _handlers.items() if handlers)


def load(packages: Iterable[str]) -> None:
    """Import ``events``, ``handlers`` and ``holdings`` of these packages wherever there are: that registers them."""
    for package in packages:
        for module in ("events", "handlers", "holdings"):
            if find_spec(package) and find_spec(f"{package}.{module}"):
                importlib.import_module(f"{package}.{module}")
