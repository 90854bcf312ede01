"""``huiyuan torture``: the whole system on this machine, ill-treated by a seed, and judged by what it acknowledged."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.engines import datadir
from backend.engines.embedded import Engines
from backend.kernel import clock, config
from backend.kernel.config import SettingsError

from .console import notice, out, step
from .demo import Keeper, start_processes
from .listen import address_of, listen
from .supervisor import Supervisor, interruptible

if TYPE_CHECKING:
    from backend.engines.postgres import Postgres
    from backend.engines.valkey import Valkey
    from backend.torture.runner import Result
    from backend.torture.shrink import Case

FAILED, INTERRUPTED = 1, 130
LONGEST_PAUSE_S = 0.8
"""Between a crash and the next start: here crashes are ordered, and waiting proves nothing."""

SHRINK_TRIES = 40
PHONES = 10
"""Each shows one code in 15 s: too few, and tills have nobody to sell to."""

OPS_A_MEMBER = 50
LEAST_MEMBERS, MOST_MEMBERS = 24, 300
_GRACE_S = 8.0
_READY_WITHIN_S = 120.0
_LEAST_TRY_S = 10.0
_POSTGRES_SOCKET, _VALKEY_SOCKET = ".s.PGSQL.5432", "valkey.sock"

# One address plays the whole town, and one till a whole store.
_LIMITS = {
    "HUIYUAN_RATE_ANONYMOUS_PER_MINUTE": "1000000",
    "HUIYUAN_RATE_MEMBER_PER_MINUTE": "1000000",
    "HUIYUAN_RATE_TERMINAL_PER_MINUTE": "1000000",
    "HUIYUAN_RATE_LOGIN_PER_MINUTE": "1000000",
    "HUIYUAN_ACCRUAL_DAILY_POINTS": "2000",
    "HUIYUAN_POINTS_VALID_MONTHS": "1",
    "HUIYUAN_LOG_LEVEL": "warning",
    "HUIYUAN_LOG_FORMAT": "json",
    "HUIYUAN_SHUTDOWN_GRACE_S": "5",
}


Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    seed: int
    ops: int
    minutes: float
    faults: int
    schedule: str | None
    members: int
    workers: int
    shrink_minutes: float
    keep: Path | None

    def again(self, case: Case) -> str:
        """The command that runs this case."""
        from backend.torture.schedule import show

        how = f"--seed {self.seed} --ops {case.ops} --members {self.members} --workers {self.workers}"
        return f'huiyuan torture {how} --schedule "{show(case.faults)}"'


def run(options: Options) -> int:
    """One run, and where it fails the shortest that still fails; returns the exit code."""
    from backend.torture import report

    case = _read_case(options)
    if options.keep is not None and options.keep.exists() and any(options.keep.iterdir()):
        raise SettingsError(f"--keep: {options.keep} holds something already")
    members = options.members or min(MOST_MEMBERS, max(LEAST_MEMBERS, options.ops // OPS_A_MEMBER))
    options = replace(options, members=members)
    try:
        result = _run_case(options, case, options.minutes * 60, keep=options.keep)
        report.show(result, options.seed, out)
        if not result.wrong:
            return 0
        found: list[tuple[Case, list[str]]] = []
        shortest = _shrunk(options, result, found)
        then = next((wrong for case, wrong in found if case == shortest and wrong), None)
        report.show_failure(result.wrong, shortest, then, options.again(shortest), tries=len(found), out=out)
    except KeyboardInterrupt:
        return INTERRUPTED
    return FAILED


def _read_case(options: Options) -> Case:
    """The seed's case, or that of the schedule that was given, which is a text or the name of a file of it."""
    from backend.torture.runner import case_of

    given = options.schedule
    try:
        text = Path(given).read_text() if given and ":" not in given else given
        return case_of(options.seed, options.ops, options.faults, text)
    except (ValueError, OSError) as error:
        raise SettingsError(f"--schedule: {error}") from None


def _shrunk(options: Options, failed: Result, found: list[tuple[Case, list[str]]]) -> Case:
    """Try shorter schedules, each on a new system, as long as there is time; ``found`` gets what each try found."""
    from backend.torture.shrink import Case, OutOfTries, Shrinker

    deadline = time.monotonic() + options.shrink_minutes * 60

    def fails(case: Case) -> bool:
        left = deadline - time.monotonic()
        if left < _LEAST_TRY_S:
            raise OutOfTries
        notice(f"does it still fail with {case.ops} operations and {len(case.faults)} faults?")
        wrong = _run_case(options, case, left).wrong
        found.append((case, wrong))
        return bool(wrong)

    begun = Case(max(1, failed.done), tuple(fault for fault in failed.case.faults if fault.at <= failed.done))
    return Shrinker(begun, fails, most_tries=SHRINK_TRIES, each=2).run()


def _run_case(options: Options, case: Case, seconds: float, *, keep: Path | None = None) -> Result:
    """A system of its own, one run on it, and nothing left of it."""
    import uvloop

    from backend.torture.logged import failures_in

    place = (keep or Path(tempfile.mkdtemp(prefix="huiyuan-torture-", dir="/tmp"))).expanduser().resolve()
    try:
        with (
            _system(place, options.seed, options.workers) as system,
            step(f"Torture with seed {options.seed}") as say,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            result = _run_interruptible(runner, _torture(system, options, case, say, seconds))
            if result.wrong:
                result.logged = failures_in(place / "server.log")
            return result
    finally:
        if keep is None:
            shutil.rmtree(place, ignore_errors=True)


def _run_interruptible(runner: asyncio.Runner, work: Coroutine[Any, Any, Result]) -> Result:
    """Run it; SIGINT and SIGTERM cancel it, once, and are ``KeyboardInterrupt`` when it has cleaned up.

    Raised by a signal's handler, ``KeyboardInterrupt`` would end up in whatever callback was running just then, and the
    event loop logs and forgets what a transport's callback raises.
    """

    async def cancellable() -> Result:
        task = asyncio.current_task()
        assert task is not None
        for number in before:
            asyncio.get_running_loop().add_signal_handler(number, lambda: task.cancelling() or task.cancel())
        return await work

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return runner.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _torture(system: System, options: Options, case: Case, say: Say, seconds: float) -> Result:
    """Everything that runs in this process: the clients, the proxies, the oracle."""
    from backend.torture.plant import Plant
    from backend.torture.proxy import Proxy
    from backend.torture.runner import Runner
    from backend.torture.wire import Client
    from backend.torture.world import Clerk, Till, World

    settings, urls, chain, seed = system.settings, system.urls, system.chain, options.seed
    host, port = address_of(system.listening)
    run_dir, behind = system.run_dir, system.data / "proxy"
    proxies = {
        "postgres": Proxy(behind / _POSTGRES_SOCKET, run_dir / _POSTGRES_SOCKET),
        "valkey": Proxy(behind / _VALKEY_SOCKET, run_dir / _VALKEY_SOCKET),
    }
    plant = Plant(settings, urls, system, Client(host, port, seed), workers=system.workers, proxies=proxies)
    world = World(
        seed,
        plant.client,
        lambda: clock.now().timestamp(),
        tills=[Till(item["id"], item["secret"], item["store_id"]) for item in chain["terminals"]],
        staff=[Clerk(i["username"], i["password"], i["role"], i["store_id"]) for i in chain["staff"]],
        wechat=datadir.wechat_part(settings),
        members=options.members,
        phones=PHONES,
    )
    await plant.open()
    try:
        say("starting the servers")
        await asyncio.to_thread(system.serve)
        await plant.recovered()
        result = await Runner(world, plant, case, say, seconds=seconds).run()
        if system.error is not None:
            result.wrong.append(f"the engines could not be kept: {system.error}")
        return result
    finally:
        await asyncio.to_thread(system.end_serving)
        await plant.close()
        clock.reset()


class System:
    """Engines, servers and worker, started and kept by one thread: the engines end when that thread does."""

    def __init__(self, data: Path, seed: int, workers: int, listening: socket.socket) -> None:
        self.data = data
        self.workers = workers
        self.listening = listening
        self.supervisor = Supervisor(lambda _: None, grace_s=_GRACE_S)
        self.supervisor.longest_pause_s = LONGEST_PAUSE_S
        # With every other seed earned points wait a day until they can be spent.
        self._limits = _LIMITS | {"HUIYUAN_POINTS_PENDING_DAYS": str(seed % 2)}
        self.engines = Engines(data, notice)
        self.chain: dict[str, Any] = {}
        self.error: BaseException | None = None
        self._prepared, self._may_serve, self._served, self._ended = (threading.Event() for _ in range(4))

    def keep(self) -> None:
        """What the thread does: start everything, put back what is killed, stop everything."""
        try:
            self._prepare()
            self._prepared.set()
            self._may_serve.wait()
            if not self.supervisor.stopping.is_set():
                start_processes(self.supervisor, self.settings, self.listening, self.workers)
                self._served.set()
                self.supervisor.watch = Keeper(self.engines).look
                self.supervisor.run()
            self.supervisor.stop()
        except BaseException as error:
            self.error = error
        finally:
            self._prepared.set()
            self._served.set()
            self._ended.set()
            self.engines.stop()

    def _prepare(self) -> None:
        from backend.demo.load import load

        from .migrate import migrate

        self.engines.start()
        assert self.engines.postgres is not None
        self.urls, self.run_dir = self.engines.urls(), self.engines.postgres.run_dir
        address = "http://{}:{}".format(*address_of(self.listening))
        straight = datadir.demo_settings(self.data, self.urls, address, environ=self._limits)
        config.use(straight)
        asyncio.run(migrate(straight))
        self.chain = asyncio.run(load(straight, lambda _: None, people=False))
        clock_file, proxies = self.data / "clock", self.data / "proxy"
        clock.move(clock_file, timedelta())
        proxies.mkdir(exist_ok=True)
        behind = {name: url.replace(str(self.run_dir), str(proxies)) for name, url in self.urls.items()}
        behind["owner"] = self.urls["owner"]
        moved = self._limits | {"HUIYUAN_CLOCK_FILE": str(clock_file)}
        self.settings = datadir.demo_settings(self.data, behind, address, environ=moved)

    def wait_prepared(self) -> None:
        """Until the engines run and the chain is loaded."""
        if not self._prepared.wait(_READY_WITHIN_S):
            raise TimeoutError("the engines did not start")
        if self.error is not None:
            raise self.error

    def serve(self) -> None:
        """Start the servers and the worker, now that somebody listens in front of the engines."""
        self._may_serve.set()
        self._served.wait()

    def end_serving(self) -> None:
        """Stop the servers and the worker; they are given time to finish what they have begun."""
        self.supervisor.stopping.set()
        self._may_serve.set()
        self._ended.wait()

    # -- what runs now

    def servers(self) -> Sequence[int]:
        """Server processes."""
        return self.supervisor.running("server")

    def worker(self) -> int | None:
        """The background worker."""
        return next(iter(self.supervisor.running("worker")), None)

    def postmaster(self) -> int | None:
        """PostgreSQL."""
        return _pid(self.engines.postgres)

    def valkey(self) -> int | None:
        """Valkey."""
        return _pid(self.engines.valkey)


def _pid(engine: Postgres | Valkey | None) -> int | None:
    child = engine.child if engine is not None else None
    return child.pid if child is not None and child.returncode is None else None


@contextmanager
def _system(data: Path, seed: int, workers: int) -> Iterator[System]:
    """A system whose engines run; it is stopped whatever happens."""
    with listen("127.0.0.1", 0) as listening:
        system = System(data, seed, workers, listening)
        keeper = threading.Thread(target=system.keep, name="keeper")
        with interruptible(system.supervisor.stopping):
            keeper.start()
            try:
                with step("Start PostgreSQL and Valkey, make the schema, load the chain"):
                    system.wait_prepared()
                yield system
            finally:
                with step("Stop"):
                    system.end_serving()
                    keeper.join()
