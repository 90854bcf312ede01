"""When what goes wrong: drawn from a seed, placed by operations, written as one line of text. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

FIRST_SHARE, LAST_SHARE = 0.03, 0.97
"""Of the operations: none go wrong before the first or after the last fault, so that a fault meets a running system."""

_TEXT = re.compile(r"(\d{1,9}):([a-z]+(?:-[a-z]+)*)(?:=(-?\d{1,8}))?\Z")


class Fault(NamedTuple):
    """Something that goes wrong once operation ``at`` has begun; what ``value`` means, the kind says."""

    at: int
    kind: str
    value: int = 0

    def __str__(self) -> str:
        return f"{self.at}:{self.kind}" + (f"={self.value}" if self.value else "")


KINDS: dict[str, tuple[str, tuple[int, ...]]] = {
    "kill-server": ("kill -9 of one server process", (0, 1)),
    "kill-servers": ("kill -9 of every server process", ()),
    "kill-worker": ("kill -9 of the background worker", ()),
    "kill-postgres": ("kill -9 of PostgreSQL", ()),
    "kill-valkey": ("kill -9 of Valkey", ()),
    "flush-valkey": ("Valkey forgets everything", ()),
    "restore-valkey": ("Valkey holds again what it held before", ()),
    "cut-postgres": ("connections to PostgreSQL are cut", ()),
    "stall-postgres": ("nothing passes to PostgreSQL for so many ms", (300, 900, 2500)),
    "cut-valkey": ("connections to Valkey are cut", ()),
    "stall-valkey": ("nothing passes to Valkey for so many ms", (150, 500, 1500)),
    "cut-clients": ("clients' connections break: percent", (10, 30)),
    "stall-clients": ("requests stop in the middle for so many ms", (200, 800)),
    "notify-duplicate": ("notifications come so many times more", (1, 4)),
    "notify-delay": ("notifications come ten minutes late", (1, 2)),
    "notify-reorder": ("notifications overtake each other", ()),
    "notify-forge": ("forged notifications come as well", ()),
    "notify-drop": ("notifications are lost", ()),
    "jump": ("everybody's clock moves by so many s", (16, 47, 310, 700, 3700, 90_000, 3_100_000, -1, -3)),
}
"""Every kind: what happens, and the values it is drawn with."""


def draw(seed: int, ops: int, count: int) -> tuple[Fault, ...]:
    """So many faults over a run of ``ops`` operations: every kind in turn, each round in another order."""
    random = Random(f"faults:{seed}")
    kinds: list[str] = []
    while len(kinds) < count:
        kinds += random.sample(sorted(KINDS), len(KINDS))
    first, width = ops * FIRST_SHARE, ops * (LAST_SHARE - FIRST_SHARE) / max(1, count)
    faults = []
    for number, kind in enumerate(kinds[:count]):
        values = KINDS[kind][1]
        at = int(first + (number + random.random() * 0.5) * width)
        faults.append(Fault(at, kind, random.choice(values) if values else 0))
    return tuple(faults)


def show(faults: Sequence[Fault]) -> str:
    """The schedule as text: ``1200:kill-server 2400:jump=600``."""
    return " ".join(map(str, faults))


def read(text: str) -> tuple[Fault, ...]:
    """The schedule that ``show`` wrote; ``ValueError`` names what is no fault."""
    faults = []
    for word in text.split():
        match = _TEXT.match(word)
        if match is None or match[2] not in KINDS:
            raise ValueError(f"{word!r} is no fault; they look like 1200:kill-server or 2400:jump=600")
        faults.append(Fault(int(match[1]), match[2], int(match[3] or 0)))
    return tuple(sorted(faults))
