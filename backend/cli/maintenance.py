"""``migrate`` and ``audit``."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
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
        try:
            done = asyncio.run(run(settings, lambda text: out.print(f"  {text}"), to=to))
        except asyncpg.LockNotAvailableError as error:
            raise EngineError(
                "somebody held a table for too long (a report, a backup, VACUUM FULL?): that step changed nothing, "
                "and what waited behind it went on. Run it again"
            ) from error
    out.print(f"{len(done)} steps" if done else "nothing to do: the database is up to date")


def audit(data: Path | None, *, record: Path | None = None, against: Path | None = None) -> int:
    """Prove the books; print what does not hold and return the exit code.

    Args:
        data: a demo's data directory, instead of the environment.
        record: where to write the end of every chain, once the books were found to balance. A record that is there
            already is held against them first, and stays where they lack something of it: it is the evidence.
        against: an earlier record that every chain must still contain.
    """
    with settings_for(data) as settings:
        url_args = db.connect_args(settings.migrate_database_url or db.direct_url(settings))
        clean = prove_books(url_args)
        for earlier in (against, record if record is not None and record.exists() else None):
            if earlier is not None:
                clean = hold_against(url_args, earlier) and clean
        if record is not None and clean:
            record_heads(url_args, record)
    return 0 if clean else 1


def prove_books(url_args: dict[str, object]) -> bool:
    """Run every check, and print what does not hold."""
    from backend import proofs
    from backend.kernel.proofs import MAX_FINDINGS

    with step("Check the books") as say:
        proved = members = 0

        def progress(done: int, total: int) -> None:
            nonlocal proved, members
            proved, members = done, total
            say(f"{done} of {total} members")

        try:
            found = asyncio.run(proofs.prove_all(url_args, progress, say))
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.UndefinedFunctionError) as error:
            raise EngineError(
                f"these books were kept by another release ({error}): audit with that one, or run `huiyuan migrate`"
            ) from error
    findings = [finding for of in found.values() for finding in of]
    if not findings:
        out.print(f"The books balance: {len(proofs.TITLES)} checks over {members} members and all stock found nothing.")
        return True
    for finding in findings:
        line = f"{proofs.TITLES[finding.check]}: {_whose(finding.member_id)}{finding.what}"
        out.print(f"[red]✗[/red] {escape(line)}")
    out.print(f"The books do NOT balance: {len(findings)} findings.")
    for of, some in found.items():
        if len(some) == MAX_FINDINGS:
            how_far = f", after {proved} of {members}" if of == "members" else ""
            out.print(f"The proof of {of} stopped at {MAX_FINDINGS}{how_far}: there may be more.")
    return False


def record_heads(url_args: dict[str, object], path: Path) -> None:
    """Write the end of every chain to a file, whole or not at all."""
    from backend.ledger import heads

    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with making.open("w", encoding="utf-8") as file:
            made = asyncio.run(heads.write(url_args, file))
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)
    out.print(f"{path}: {made.members} chains of {made.transfers} transfers, digest {made.digest}")


def hold_against(url_args: dict[str, object], path: Path, title: str = "Hold every chain against the record") -> bool:
    """Is every chain that was recorded still there, as it was? Print which is not."""
    from backend.ledger import heads

    try:
        with step(title), path.open(encoding="utf-8") as file:
            found = asyncio.run(heads.compare(url_args, file))
    except (OSError, ValueError, heads.DamagedRecord) as error:
        raise EngineError(f"{path}: {error}") from error
    for what in found.findings:
        out.print(f"[red]✗[/red] {escape(what)}")
    of = f"{found.record.members} chains recorded {found.record.at:%Y-%m-%d %H:%M:%S} UTC"
    if found.findings:
        out.print(f"The chains do NOT contain what was recorded: {len(found.findings)} of {of}.")
        return False
    out.print(f"All of {of} are here, whole: {found.same} as they were, {found.grown} longer.")
    return True


def _whose(member_id: int) -> str:
    return f"member {member_id}: " if member_id else ""
