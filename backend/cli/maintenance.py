"""``migrate`` and ``audit``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape

from backend.engines import datadir
from backend.engines.embedded import Engines, running_urls
from backend.engines.errors import EngineError
from backend.kernel import config, db
from backend.kernel.config import Settings

from .console import notice, out, step

_NO_ADDRESS = "http://127.0.0.1:8000"  # nothing listens: only the database is used


@contextmanager
def settings_for(data: Path | None) -> Iterator[Settings]:
    """The environment's settings, or those of a demo's data directory; its engines are started if they do not run."""
    if data is None:
        yield config.settings()
        return
    data = data.expanduser().resolve()
    if not (data / "postgres").exists():
        raise EngineError(f"{data} is not the data directory of a demo")
    urls = running_urls(data)
    if urls is not None:
        yield datadir.demo_settings(data, urls, _NO_ADDRESS)
        return
    with Engines(data, notice) as engines:
        yield datadir.demo_settings(data, engines.urls(), _NO_ADDRESS)


def migrate(data: Path | None, to: str | None) -> None:
    """Run the migrations and say what was done."""
    from .migrate import migrate as run

    with settings_for(data) as settings:
        done = asyncio.run(run(settings, lambda text: out.print(f"  {text}"), to=to))
    out.print(f"{len(done)} steps" if done else "nothing to do: the database is up to date")


def audit(data: Path | None) -> int:
    """Prove the books; print what does not hold and return the exit code."""
    from backend.ledger.audit import audit, checks

    with settings_for(data) as settings, step("Check the books") as say:
        url = settings.migrate_database_url or db.direct_url(settings)
        members = 0

        def progress(done: int, total: int) -> None:
            nonlocal members
            members = total
            say(f"{done} of {total} members")

        findings = asyncio.run(audit(db.connect_args(url), progress))
    if not findings:
        out.print(f"The books balance: {len(checks())} checks over {members} members found nothing.")
        return 0
    titles = {check.name: check.title for check in checks()}
    for finding in findings:
        title = titles.get(finding.check, finding.check)
        out.print(f"[red]✗[/red] {escape(f'{title}: member {finding.member_id}: {finding.what}')}")
    out.print(f"The books do NOT balance: {len(findings)} findings.")
    return 1
