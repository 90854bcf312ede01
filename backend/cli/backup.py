"""``huiyuan backup`` and ``restore``: base backups with a record of every chain, and the proof of what comes back."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
from rich.markup import escape

from backend.engines import account as accounts
from backend.engines.account import Account
from backend.engines.errors import EngineError
from backend.engines.recovery import Restored, base_backup
from backend.kernel import clock, config, db

from .console import notice, out, step

HEADS = "heads.txt"
BASE = "data"
MAKING = ".making"

_TABLESPACES = "SELECT spcname FROM pg_tablespace WHERE starts_with(pg_tablespace_location(oid), '/') ORDER BY 1"


def back_up(place: Path, *, keep: int, gently: bool) -> None:
    """Make a base backup of the configured database's cluster, named by the time, and delete all but the newest."""
    settings = config.settings()
    url = settings.migrate_database_url or db.direct_url(settings)
    with _alone_in(place):
        for left in place.glob(f".*{MAKING}"):
            shutil.rmtree(left)
            notice(f"deleted {left}, which was never finished")
        made = take_backup(place, db.connect_args(url), {}, gently=gently)
        out.print(f"{made}: restore with `huiyuan restore {made} --wal … --to …`")
        for old in older_than(place, keep):
            shutil.rmtree(old)
            notice(f"deleted {old}")


@contextmanager
def _alone_in(place: Path) -> Iterator[None]:
    """Only one backup at a time, so that what is unfinished is known to be left over from one that was killed."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EngineError(f"another backup is being made in {place}") from None
        yield


def older_than(place: Path, keep: int) -> list[Path]:
    """All backups but the newest ``keep``, oldest first; what is not a whole backup is none of our business."""
    whole = sorted(path for path in place.iterdir() if not path.name.startswith(".") and (path / HEADS).exists())
    return whole[: max(0, len(whole) - keep)]


def take_backup(place: Path, url_args: dict[str, object], environ: Mapping[str, str], *, gently: bool = False) -> Path:
    """Record the heads, then copy the cluster: a restore from this backup must hold every recorded chain."""
    from backend.ledger import heads

    major, tablespaces = asyncio.run(_look_at(url_args))
    if tablespaces:
        raise EngineError(
            f"the cluster has tablespaces of its own ({', '.join(tablespaces)}), which this cannot bring back: "
            "use pgBackRest, or another tool that knows them"
        )
    made = place / clock.now().strftime("%Y%m%dT%H%M%SZ")
    making = made.with_name(f".{made.name}{MAKING}")
    making.mkdir(mode=0o700, parents=True)
    try:
        with step("Record the end of every chain"), (making / HEADS).open("w", encoding="utf-8") as file:
            record = asyncio.run(heads.write(url_args, file))
        with step("Copy the cluster, and verify the copy"):
            base_backup(making / BASE, major=major, environ=environ, checkpoint="spread" if gently else "fast")
        making.rename(made)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    notice(f"{record.members} chains of {record.transfers} transfers, digest {record.digest}")
    return made


async def _look_at(url_args: dict[str, object]) -> tuple[str, list[str]]:
    """The server's major version, and the tablespaces that lie outside its data directory."""
    connection = await asyncpg.connect(**url_args)
    try:
        return str(connection.get_server_version().major), [row[0] for row in await connection.fetch(_TABLESPACES)]
    finally:
        await connection.close()


@dataclass(frozen=True)
class Target:
    """What to restore, from where, and what it is held against."""

    backup: Path
    wal: str
    to: datetime | None
    against: Path | None
    database: str
    superuser: str


def restore(target: Target, into: Path | None) -> int:
    """Restore, prove, and leave the data directory in ``into``, or nothing; returns the exit code."""
    with restored(target, into) as cluster:
        try:
            clean = prove(db.connect_args(cluster.url(target.database, target.superuser)), target)
        except asyncpg.PostgresError as error:  # no such database, no such role
            raise EngineError(f"the restored cluster was not proved: {error}") from error
        finally:
            if into is not None:
                out.print(f"{into} holds the restored cluster: give it its configuration, and start PostgreSQL on it")
                out.print("before servers and workers start: huiyuan feed-restart, so that other systems notice")
    return 0 if clean else 1


@contextmanager
def restored(target: Target, into: Path | None = None, account: Account | None = None) -> Iterator[Restored]:
    """A running cluster as it was at the moment; afterwards it is stopped, and deleted unless it was to be kept.

    It runs as ``account``, who must be able to read the archive; else as the account of the installed PostgreSQL.
    """
    if into is not None and into.exists():
        raise EngineError(f"{into} exists: a restore needs a directory of its own")
    # A socket's path must be short; the copy may be as large as production, so TMPDIR says where it goes.
    with _temporary(dir="/tmp") as run_dir, _temporary() as place:  # noqa: S108
        data = (into or place / "data").resolve()
        cluster = Restored(data, run_dir, account or accounts.of_clusters())
        kept = False
        try:
            with step("Verify and copy the base backup"):
                cluster.copy(target.backup / BASE if (target.backup / BASE).exists() else target.backup)
            with step(f"Replay WAL up to {target.to.isoformat(' ') if target.to else 'its end'}") as say:
                last = cluster.recover(wal=target.wal, to=target.to, say=say)
            notice(f"last transaction: {last}")
            kept = into is not None  # it may have taken hours: a proof that fails, or cannot be run, takes nothing away
            yield cluster
        finally:
            cluster.stop()
            if not kept:
                shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _temporary(**where: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="huiyuan-restore-", ignore_cleanup_errors=True, **where) as made:
        yield Path(made)


def prove(url_args: dict[str, object], target: Target) -> bool:
    """Audit the restored books, and hold every chain against the record."""
    from .maintenance import hold_against, prove_books

    clean = prove_books(url_args)
    record = target.against or target.backup / HEADS
    if not record.exists():
        notice("there is no record of heads: the books are checked, what is missing is not")
        return clean
    return hold_against(url_args, record) and clean


def moment(text: str) -> datetime:
    """A time with its zone, as typed."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise EngineError(f"{text!r} is no time; write 2026-11-26T03:15:00+08:00") from error
    if found.tzinfo is None:
        raise EngineError(f"{text!r} has no zone; write {escape(text)}+08:00")
    return found
