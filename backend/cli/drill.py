"""``huiyuan drill``: lose a database on purpose and bring it back to a chosen moment, on engines of its own.

Value is posted all the time. What was acknowledged before the moment must be there afterwards, what began after it must
not, the books must balance, and every restored chain must be the beginning of the one that went on.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from backend.engines import account as accounts
from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.engines.errors import EngineError
from backend.engines.postgres import DATABASE, SUPERUSER
from backend.kernel import clock, config, db
from backend.ledger import plans

from . import backup
from .console import notice, out, step
from .maintenance import hold_against, record_heads
from .supervisor import Stopping, interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.kernel.config import Settings

MEMBERS = 40
LANES = 4
_ARCHIVED_WITHIN_S = 60.0


def run(seconds: float) -> int:
    """Do it all, say what was proved, leave nothing behind; returns the exit code."""
    place = Path(tempfile.mkdtemp(prefix="huiyuan-drill-", dir="/tmp"))
    with interruptible(Stopping()):
        try:
            return _drill(place, seconds)
        except KeyboardInterrupt:
            return 130
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _drill(place: Path, seconds: float) -> int:
    archive = place / "archive"
    archive.mkdir()
    with _archiving(place / "live", archive) as engines:
        settings = _prepare(engines)
        load = Load(settings)
        with load.running():
            with step(f"Post value for {seconds:g} s"):
                load.go_on(seconds)
            made = backup.take_backup(place / "backups", db.connect_args(engines.urls()["superuser"]), _libpq(engines))
            with step(f"Post value for {seconds:g} s"):
                load.go_on(seconds)
            moment = clock.now()
            with step(f"Let it go on for {seconds:g} s after the moment, {moment:%H:%M:%S.%f} UTC"):
                load.go_on(seconds)
        with step("Archive the last WAL"):
            _archive_all(engines)
        target = backup.Target(made, str(archive), moment, None, DATABASE, SUPERUSER)
        with backup.restored(target, account=accounts.choose(place / "live" / "postgres")) as cluster:
            url_args = db.connect_args(cluster.url(DATABASE, SUPERUSER))
            proofs = (
                backup.prove(url_args, target),
                _is_beginning_of(url_args, db.connect_args(engines.urls()["superuser"]), place / "restored.txt"),
                _is_what_was_acknowledged(url_args, load, moment),
            )
    out.print("The drill succeeded." if all(proofs) else "The drill FAILED.")
    return 0 if all(proofs) else 1


def _prepare(engines: Engines) -> Settings:
    from .migrate import migrate

    settings = datadir.demo_settings(engines.data, engines.urls(), "http://127.0.0.1:8000")
    config.use(settings)
    with step("Bring the schema up to date"):
        asyncio.run(migrate(settings))
    return settings


@contextmanager
def _archiving(data: Path, archive: Path) -> Iterator[Engines]:
    """Engines whose PostgreSQL archives its WAL."""
    account = accounts.choose(data / "postgres")
    account.own(archive)
    accounts.open_the_way(archive, account, lambda _: None)
    copy = f'test ! -f "{archive}/%f" && cp "%p" "{archive}/%f.part" && mv "{archive}/%f.part" "{archive}/%f"'
    with step("Make and start PostgreSQL, with a WAL archive"):
        engines = Engines(data, postgres={"archive_mode": "on", "archive_command": copy, "max_wal_senders": "4"})
        engines.start()
    try:
        yield engines
    finally:
        engines.stop()


def _libpq(engines: Engines) -> dict[str, str]:
    assert engines.postgres is not None
    return {"PGHOST": str(engines.postgres.run_dir), "PGUSER": SUPERUSER}


def _archive_all(engines: Engines) -> None:
    """End the segment that is being written, and wait until it is in the archive."""
    postgres = engines.postgres
    assert postgres is not None
    last = postgres.sql("SELECT pg_walfile_name(pg_switch_wal())")
    deadline = time.monotonic() + _ARCHIVED_WITHIN_S
    while postgres.sql("SELECT coalesce(last_archived_wal, '') FROM pg_stat_archiver") < last:
        if time.monotonic() > deadline:
            raise EngineError(f"{last} was not archived within {_ARCHIVED_WITHIN_S:.0f} s: look at archive_command")
        time.sleep(0.05)


def _is_beginning_of(restored: dict[str, object], live: dict[str, object], path: Path) -> bool:
    """Each restored chain's end is a transfer of the living one: the heads of one, held against the other."""
    record_heads(restored, path)
    return hold_against(live, path, "Hold the restored chains against those that went on")


def _is_what_was_acknowledged(restored: dict[str, object], load: Load, moment: datetime) -> bool:
    """Nothing acknowledged before the moment is missing, nothing begun after it is there."""
    there = asyncio.run(_posted_keys(restored))
    before = {key for key, posted in load.posted.items() if posted.acknowledged_at <= moment}
    after = {key for key, posted in load.posted.items() if posted.begun_at > moment}
    lost, early = len(before - there), len(after & there)
    text = f"{len(before)} transfers acknowledged before the moment, {len(after)} begun after it"
    if lost or early or not before or not after:
        out.print(f"[red]✗[/red] {text}: {lost} of the former are missing, {early} of the latter are there")
        return False
    out.print(f"{text}: all of the former are here, none of the latter.")
    return True


async def _posted_keys(url_args: dict[str, object]) -> set[str]:
    connection = await asyncpg.connect(**url_args)
    try:
        return {row[0] for row in await connection.fetch("SELECT key FROM ledger_key WHERE scope = 'drill'")}
    finally:
        await connection.close()


@dataclass(frozen=True)
class Posted:
    """When a plan was handed to the ledger, and when it was acknowledged."""

    begun_at: datetime
    acknowledged_at: datetime


@dataclass
class Load:
    """Points given to a few members without a pause, in a thread of its own; remembers what was acknowledged."""

    settings: Settings
    posted: dict[str, Posted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._failure: BaseException | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Post for as long as the block lasts."""
        thread = threading.Thread(target=self._work)
        thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            thread.join()
        self._check()

    def go_on(self, seconds: float) -> None:
        """Wait while it posts; also on a slow machine until every chain has grown."""
        enough, until = len(self.posted) + 3 * MEMBERS, time.monotonic() + seconds
        while time.monotonic() < until or len(self.posted) < enough:
            self._check()
            time.sleep(0.05)
        notice(f"{len(self.posted)} transfers so far")

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            asyncio.run(self._post_all())
        except Exception as error:
            self._failure = error

    async def _post_all(self) -> None:
        from backend.ledger import service

        await db.open_pools(self.settings)
        await service.open_writer(self.settings)
        try:
            async with db.transaction() as tx:
                for member_id in range(1, MEMBERS + 1):
                    await service.open_member(tx, member_id)
            await asyncio.gather(*(self._post_some(lane) for lane in range(LANES)))
        finally:
            await service.close_writer()
            await db.close_pools()

    async def _post_some(self, lane: int) -> None:
        """Members of this lane in turn: some points for each."""
        from backend.ledger import service

        for number in itertools.count():
            if self._stopping.is_set():
                return
            key, begun_at = uuid.uuid4().hex, clock.now()
            member_id = 1 + (number * LANES + lane) % MEMBERS
            await service.post(_gift(member_id, 1 + number % 100, key, begun_at, self.settings.timezone))
            self.posted[key] = Posted(begun_at, clock.now())


def _gift(member_id: int, points: int, key: str, at: datetime, zone: str) -> plans.Plan:
    return plans.Plan(
        member_id=member_id,
        kind="gift",
        at=at,
        on=clock.local_date(at, zone),
        scope="drill",
        key=key,
        hash="00" * 32,
        legs=(
            plans.Leg(plans.POINTS, plans.POINT, points, issue=(plans.Issue("gift", points),)),
            plans.Leg(plans.HOUSE_POINTS_ISSUED, plans.POINT, -points),
        ),
    )
