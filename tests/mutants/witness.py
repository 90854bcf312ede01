"""A pytest plugin that tells the runner what became of each test, and of what a failed one failed.

It runs in the mutated copy and uses nothing of it: the copy may be broken. One JSON object a line goes to the file that
``MUTANT_WITNESS`` names.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

SERVER_FAILED = "http.failed"
"""What the server logs when it answers 500: a mutant that merely breaks it proves nothing."""

# Of PostgreSQL's classes: a name or statement that does not exist, and a failure inside the server.
_BROKEN_SQL = ("42", "XX")


def pytest_configure() -> None:
    """Refuse to judge anything but this copy: an installed package elsewhere must not be what is tested."""
    import backend

    if Path(str(backend.__file__)).parents[1] != Path.cwd():
        raise pytest.UsageError(f"backend is imported from {backend.__file__}, not from the copy")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Note the outcome of a test's call, and of a fixture that failed."""
    report = yield
    if report.when == "call" or not report.passed:
        why = "" if call.excinfo is None else _first_line(call.excinfo.value)
        caught = report.failed and report.when == "call" and is_verdict(call.excinfo.value if call.excinfo else None)
        if any(SERVER_FAILED in text for _, text in report.sections):
            caught, why = False, f"the server answered 500: {why}"
        _write(test=item.nodeid, when=report.when, outcome=report.outcome, caught=caught, why=why)
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that cannot be imported, or a test that is not there."""
    if report.failed:
        _write(test=report.nodeid, when="collect", outcome="failed", caught=False, why=str(report.longrepr)[-300:])


def is_verdict(error: BaseException | None) -> bool:
    """Whether a test failed because something was not as it must be, and not because something was broken.

    That is an assertion, a refusal that should not have come, the database's own refusal, or a test that does not find
    in an answer what it must say: a refusal's code where there was none.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(is_verdict(inner) for inner in error.exceptions)
    if isinstance(error, AssertionError):
        return True
    if isinstance(error, pytest.fail.Exception):
        return not str(error).startswith("Timeout")
    state = str(getattr(error, "sqlstate", ""))
    if state:
        return not state.startswith(_BROKEN_SQL)
    if isinstance(error, LookupError | ValueError | TypeError | AttributeError):
        return _test_was_reading(error)
    refused = any(base.__name__ == "DomainError" for base in type(error).__mro__)
    return refused and not str(error).startswith(_BROKEN_SQL)


def _test_was_reading(error: BaseException) -> bool:
    """Whether the last of our lines that ran is a test's, and not one of what is tested."""
    ours = [
        Path(frame.f_code.co_filename).relative_to(Path.cwd()).parts[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if Path(frame.f_code.co_filename).is_relative_to(Path.cwd())
    ]
    return bool(ours) and ours[-1] == "tests"


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _write(**fields: Any) -> None:
    with Path(os.environ["MUTANT_WITNESS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(fields) + "\n")
