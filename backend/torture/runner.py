"""One run: operations by many clients at once, faults in between, and after each of them the whole truth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random

import msgspec

from . import domains, schedule
from .harm import Harm
from .journal import Count
from .oracle import Books, Oracle, read_books
from .plant import NotRecovered, Plant
from .schedule import Fault
from .shrink import Case
from .world import GaveUp, Op, World

CLIENTS = 32
LEAST_WINDOW, MOST_WINDOW = 25, 500
"""Operations between a fault and the check after it."""

REMEMBER_EVERY = 5
SEEN_AFTER_S = 0.03
"""A process that was killed is not seen to be dead at once."""

FINAL_STEPS_S = (800, 800, 800, 800, 90_000, 800)
"""What is unpaid is closed after half an hour, and asked about again ten minutes, an hour and a day later."""

EVENTS_STALLED_S = 60.0
"""A relay that ends no batch (up to 2,048 events) for so long does not do it any more."""

ANSWERED_WITHIN_S = 150.0
"""For what has begun: a client gives up one request after a minute and a half, and then makes no other."""

PENDING_S = 90.0
"""How long a check waits for what ends by itself: the worker looks every minute."""

SETTLED_WITHIN_S = 180.0
"""For all of these steps: some seconds each, and up to two minutes for a job whose worker was killed."""

Say = Callable[[str], None]


class Survived(msgspec.Struct, frozen=True):
    """A fault and how long it took until everything served again."""

    fault: Fault
    seconds: float


class Result(msgspec.Struct, kw_only=True):
    """What came of a run; ``wrong`` is empty where the system did not lose a fen. ``logged``: the servers' last errors,
    where something is wrong."""

    case: Case
    wrong: list[str] = []
    logged: list[str] = []
    survived: list[Survived] = []
    counts: dict[str, Count] = {}
    operations: int = 0
    done: int = 0
    seconds: float = 0.0
    checks: int = 0
    compared: int = 0
    late: int = 0
    check_seconds: float = 0.0
    members: int = 0
    ended_early: bool = False


class Gate:
    """Hands out operation numbers up to a goal; the clients wait there until it moves."""

    def __init__(self, clients: int) -> None:
        self._goal = self._next = 0
        self._clients = clients
        self._waiting = 0
        self._moved = asyncio.Condition()

    @property
    def begun(self) -> int:
        """How many operations have begun."""
        return self._next

    async def take(self) -> int:
        """The next number."""
        async with self._moved:
            self._waiting += 1
            self._moved.notify_all()
            await self._moved.wait_for(lambda: self._next < self._goal)
            self._waiting -= 1
            self._next += 1
            self._moved.notify_all()
            return self._next - 1

    async def open(self, goal: int) -> None:
        """Let operations begin up to (not including) that number."""
        async with self._moved:
            self._goal = max(self._goal, goal)
            self._moved.notify_all()

    async def shut(self) -> None:
        """Let nothing more begin."""
        async with self._moved:
            self._goal = self._next
            self._moved.notify_all()

    async def reached(self, number: int) -> None:
        """Until so many have begun."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._next >= number)

    async def idle(self) -> None:
        """Until all that may begin has begun and ended."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._next >= self._goal and self._waiting == self._clients)


class Runner:
    """Runs one case on a system that is up, and judges it."""

    def __init__(self, world: World, plant: Plant, case: Case, say: Say, *, seconds: float) -> None:
        self._world, self._plant, self._case = world, plant, case
        self._tell_user, self._said = say, ""
        self._deadline = time.monotonic() + seconds
        self._domains = domains.load(world)
        self._oracle = Oracle(world, self._domains)
        self._jobs = [job for domain in self._domains for job in domain.jobs]
        self._harm = Harm(plant, self._jobs)
        operations = [operation for domain in self._domains for operation in domain.operations]
        self._operations = operations
        self._weights = list(accumulate(operation.weight for operation in operations))
        self._gate = Gate(CLIENTS)
        self._under_way: dict[int, str] = {}
        self._audit: asyncio.Task[list[str]] | None = None
        self._result = Result(case=case, members=len(world.members))

    async def run(self) -> Result:
        """The whole run; ends at the first check that finds something wrong."""
        started = time.monotonic()
        for domain in self._domains:
            self._say(f"preparing {type(domain).__name__.lower()}")
            await domain.prepare()
        await self._check()
        clients = [asyncio.create_task(self._client(), name=f"client {number}") for number in range(CLIENTS)]
        try:
            await self._follow_schedule()
            if not self._world.wrong:
                await self._finish(within_s=SETTLED_WITHIN_S)
            await self._hear_audit()
        except NotRecovered as error:
            self._world.blame(str(error))
        finally:
            left = [*clients, *([self._audit] if self._audit else [])]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        self._result.wrong = self._world.wrong
        self._result.counts = self._world.journal.counts
        self._result.operations = self._world.journal.operations
        self._result.done = self._gate.begun
        self._result.checks, self._result.compared = self._oracle.checks, self._oracle.compared
        self._result.late = self._oracle.late
        self._result.seconds = time.monotonic() - started
        return self._result

    async def _client(self) -> None:
        while True:
            number = await self._gate.take()
            random = Random(f"{self._world.seed}:{number}")
            operation = random.choices(self._operations, cum_weights=self._weights)[0]
            self._under_way[number] = operation.kind
            try:
                await operation.run(Op(number, operation.kind, random))
            except GaveUp:
                continue
            except asyncio.CancelledError:
                raise
            except Exception as error:  # a client that stumbles over an answer is a finding, not the end of the run
                self._world.blame(f"{operation.kind}: {type(error).__name__}: {error}")
            finally:
                del self._under_way[number]

    async def _idle(self) -> None:
        """Until what has begun has ended; what does not is a finding."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                await self._gate.idle()
        except TimeoutError:
            kinds = ", ".join(sorted(self._under_way.values()))
            raise NotRecovered(f"not ended within {ANSWERED_WITHIN_S:g} s: {kinds}") from None

    async def _follow_schedule(self) -> None:
        for number, fault in enumerate(self._case.faults):
            if self._over():
                return
            later = [other.at for other in self._case.faults[number + 1 :]] + [self._case.ops]
            window = min(MOST_WINDOW, max(LEAST_WINDOW, (later[0] - fault.at) // 2))
            goal = min(self._case.ops, max(self._gate.begun, fault.at) + window)
            if number % REMEMBER_EVERY == 0:
                await self._plant.remember_valkey()
            await self._gate.open(goal)
            await self._progress(fault.at, "")
            await self._hear_audit()
            await self._harm.do(fault)
            recovery = asyncio.create_task(self._plant.recovered(after_s=SEEN_AFTER_S))
            await self._progress(goal, str(fault))
            await self._idle()
            await self._harm.heal()
            took = await recovery
            await self._plant.recovered()
            self._result.survived.append(Survived(fault, took))
            await self._check()
        if not self._over():
            await self._gate.open(self._case.ops)
            await self._progress(self._case.ops, "")
            await self._idle()

    async def _progress(self, number: int, fault: str) -> None:
        """Wait until so many operations have begun, and say how far it is meanwhile."""
        waiting = asyncio.create_task(self._gate.reached(number))
        try:
            while not (await asyncio.wait({waiting}, timeout=0.5))[0]:
                if self._over():
                    await self._gate.shut()
                    return
                self._tell(fault)
        finally:
            waiting.cancel()

    def _tell(self, fault: str) -> None:
        survived = f"{len(self._result.survived)} of {len(self._case.faults)} faults"
        self._say(
            f"{self._gate.begun} of {self._case.ops} operations, {survived}" + (f", now {fault}" if fault else "")
        )

    def _over(self) -> bool:
        late = time.monotonic() > self._deadline
        self._result.ended_early = self._result.ended_early or late
        return late or bool(self._world.wrong)

    def _say(self, text: str) -> None:
        self._said = text
        self._tell_user(text)

    async def _finish(self, *, within_s: float) -> None:
        """Let the clock and the PSP do what is left, then look once more at everything; a finding where that hangs."""
        limit = asyncio.timeout(within_s)
        try:
            async with limit:
                await self._settle()
        except TimeoutError:
            if not limit.expired():
                raise
            raise NotRecovered(f"not settled within {within_s:g} s; at the end it was {self._said}") from None

    async def _settle(self) -> None:
        """The worker may still be looking for the database it lost: until its jobs have run, nothing is settled."""
        self._say("waiting for the last answers")
        await self._idle()
        await self._harm.heal()
        await self._plant.recovered()
        for number, step_s in enumerate(FINAL_STEPS_S, start=1):
            self._say(f"settling what is left, step {number} of {len(FINAL_STEPS_S)}")
            self._plant.move_clock(step_s)
            await self._plant.run_jobs(self._jobs, self._say)
            await self._check()
            if self._world.wrong:
                return
            self._say("asking for what nobody heard of")
            for domain in self._domains:
                await domain.settle()
        await self._plant.relayed(self._say, stalled_s=EVENTS_STALLED_S)
        await self._check(final=True)

    async def _check(self, *, final: bool = False) -> None:
        """Come to rest, ask again about what is in doubt, compare with what was acknowledged, and begin an audit."""
        began = time.monotonic()
        self._say("checking")
        await self._plant.quiet()
        books = await self._books()
        if await self._oracle.settle(books):
            books = await self._books()
        until = time.monotonic() + PENDING_S
        while any(domain.pending(books) for domain in self._domains) and time.monotonic() < until:
            await asyncio.sleep(1)
            books = await self._books()
        for finding in self._oracle.check(books, final=final):
            self._world.blame(finding)
        await self._hear_audit()
        self._audit = asyncio.create_task(self._plant.audit())
        self._result.check_seconds += time.monotonic() - began

    async def _hear_audit(self) -> None:
        """What the last audit found; it reads one snapshot beside the operations, but not through the next fault."""
        audit, self._audit = self._audit, None
        for finding in await audit if audit is not None else ():
            self._world.blame(finding)

    async def _books(self) -> Books:
        ledger, psp = await self._plant.connect("owner"), await self._plant.connect("simulator")
        try:
            return await read_books(ledger, psp, self._world.domains)
        finally:
            await ledger.close()
            await psp.close()


def case_of(seed: int, ops: int, faults: int, text: str | None) -> Case:
    """The case of a seed, or that of a written schedule."""
    drawn: Sequence[Fault] = schedule.draw(seed, ops, faults) if text is None else schedule.read(text)
    return Case(ops, tuple(fault for fault in drawn if fault.at < ops))
