"""Which jobs there are: filled by decorators when a domain's ``jobs.py`` is imported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

JobFunction = Callable[..., Awaitable[Any]]
F = TypeVar("F", bound=JobFunction)

DEFAULT_RETRIES = 8


@dataclass
class Job:
    """One declared job; ``retries`` counts the tries after the first."""

    function: JobFunction
    name: str
    retries: int
    crons: list[str] = field(default_factory=list)


_jobs: dict[JobFunction, Job] = {}


def task(*, name: str, retry: int = DEFAULT_RETRIES) -> Callable[[F], F]:
    """Declare a job that ``defer`` may name; after a failure it is tried ``retry`` times more, 2, 4, 8 … s apart."""

    def declare(function: F) -> F:
        job = _declare(function)
        job.name, job.retries = name, retry
        _refuse_namesakes(job)
        return function

    return declare


def every(cron: str, *, retry: int = 0) -> Callable[[F], F]:
    """Run the function at these times (``minute hour day month weekday`` and optionally ``second``, UTC).

    Never twice at once, and not queued again while it waits: the next run makes up for a missed or failed one, so there
    are no retries unless asked for. With ``retry`` it is tried so many times more, and taken up again where its worker
    died: for work that must not wait for the next time. The function takes nothing, or ``timestamp`` (unix s it was
    due).
    """

    def declare(function: F) -> F:
        job = _declare(function)
        job.crons.append(cron)
        job.retries = max(job.retries, retry)
        _refuse_namesakes(job)
        return function

    return declare


def declared() -> list[Job]:
    """Every job that was declared, by name."""
    return sorted(_jobs.values(), key=lambda job: job.name)


def name_of(job: str | JobFunction) -> str:
    """The name a job is stored under."""
    if isinstance(job, str):
        return job
    return _jobs[job].name


def _declare(function: JobFunction) -> Job:
    module = function.__module__.removeprefix("backend.").removesuffix(".jobs")
    default = Job(function, f"{module}.{function.__name__}", retries=0)
    return _jobs.setdefault(function, default)


def _refuse_namesakes(job: Job) -> None:
    for other in _jobs.values():
        if other is not job and other.name == job.name:
            raise TypeError(f"two jobs are called {job.name}")
