"""What an examination finds: what is wrong, what it causes, and what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from backend.kernel.config import Settings
from backend.kernel.pooling import Pooling

if TYPE_CHECKING:
    import asyncpg


class Level(StrEnum):
    """An error loses money, secrets or service; a warning will, or costs speed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One misconfiguration. ``code`` stays the same from release to release."""

    code: str
    what: str
    causes: str
    do: str
    level: Level = Level.ERROR


@dataclass(frozen=True)
class Subject:
    """What is examined: the settings and the environment.

    ``workers`` is how many server processes will share the database, over all machines.
    """

    settings: Settings
    environ: Mapping[str, str]
    workers: int

    @property
    def production(self) -> bool:
        """Is real money meant?"""
        return not self.settings.demo


@dataclass(frozen=True)
class Connected(Subject):
    """And the database as the application sees it; ``pooling`` is what stands between the two."""

    connection: asyncpg.Connection
    pooling: Pooling


@dataclass
class Report:
    """One part of the examination: ``well`` is said of it, unless it has findings."""

    well: str = ""
    findings: list[Finding] = field(default_factory=list)

    def error(self, code: str, what: str, *, causes: str, do: str) -> None:
        """Add a finding that must not stay."""
        self.findings.append(Finding(code, what, causes, do))

    def warn(self, code: str, what: str, *, causes: str, do: str) -> None:
        """Add a finding that should not stay."""
        self.findings.append(Finding(code, what, causes, do, Level.WARNING))


Result = Report | Awaitable[Report]
Check = Callable[[Subject], Result]
DatabaseCheck = Callable[[Connected], Result]
