"""What each kind of fault does to the running system, and how it is made good again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from .plant import Plant
from .schedule import Fault

TEN_MINUTES_S = 600


class Harm:
    """Does one fault at a time; ``heal`` ends what lasts (a bad network, a confused PSP)."""

    def __init__(self, plant: Plant, jobs: Sequence[str]) -> None:
        self._plant = plant
        self._jobs = jobs
        self._lasting: asyncio.Task[None] | None = None
        self._psp_confused = False
        self._do: dict[str, Callable[[int], Awaitable[None]]] = {
            "kill-server": self._kill_server,
            "kill-servers": self._kill_servers,
            "kill-worker": self._kill_worker,
            "kill-postgres": self._kill_postgres,
            "kill-valkey": self._kill_valkey,
            "flush-valkey": lambda _: plant.flush_valkey(),
            "restore-valkey": lambda _: plant.restore_valkey(),
            "cut-postgres": self._cut_postgres,
            "stall-postgres": lambda ms: self._stall("postgres", ms),
            "cut-valkey": self._cut_valkey,
            "stall-valkey": lambda ms: self._stall("valkey", ms),
            "cut-clients": self._cut_clients,
            "stall-clients": self._stall_clients,
            "notify-duplicate": lambda copies: self._confuse({"duplicate": copies}),
            "notify-delay": self._delay,
            "notify-reorder": lambda _: self._confuse({"reorder": True}),
            "notify-forge": lambda _: self._confuse({"forge": True}),
            "notify-drop": lambda _: self._confuse({"drop": True}),
            "jump": self._jump,
        }

    async def do(self, fault: Fault) -> None:
        """Let it go wrong."""
        await self._do[fault.kind](fault.value)

    async def heal(self) -> None:
        """End what lasts; what was killed comes back by itself."""
        self._plant.client.cut_percent, self._plant.client.stall_s = 0, 0.0
        if self._lasting is not None:
            await self._lasting
            self._lasting = None
        if self._psp_confused:
            await self._plant.tell_psp({})
            self._psp_confused = False

    async def _kill_server(self, which: int) -> None:
        pids = self._plant.processes.servers()
        if pids:
            self._plant.kill(pids[which % len(pids)])

    async def _kill_servers(self, _: int) -> None:
        for pid in self._plant.processes.servers():
            self._plant.kill(pid)

    async def _kill_worker(self, _: int) -> None:
        self._plant.kill(self._plant.processes.worker())

    async def _kill_postgres(self, _: int) -> None:
        self._plant.kill(self._plant.processes.postmaster())

    async def _kill_valkey(self, _: int) -> None:
        self._plant.kill(self._plant.processes.valkey())

    async def _cut_postgres(self, _: int) -> None:
        self._plant.proxies["postgres"].cut()

    async def _cut_valkey(self, _: int) -> None:
        self._plant.proxies["valkey"].cut()

    async def _stall(self, which: str, ms: int) -> None:
        self._lasting = asyncio.create_task(self._plant.proxies[which].stall(ms / 1000))

    async def _cut_clients(self, percent: int) -> None:
        self._plant.client.cut_percent = percent

    async def _stall_clients(self, ms: int) -> None:
        self._plant.client.stall_s = ms / 1000

    async def _confuse(self, faults: dict[str, object]) -> None:
        self._psp_confused = True
        await self._plant.tell_psp(faults)

    async def _delay(self, seconds: int) -> None:
        """Notifications wait by the machine's clock; so that moves on by ten minutes meanwhile."""
        await self._confuse({"delay_s": seconds})
        self._lasting = asyncio.create_task(self._move_later(seconds / 2))

    async def _move_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._plant.move_clock(TEN_MINUTES_S)

    async def _jump(self, seconds: int) -> None:
        """What is due by the new time, the worker does meanwhile: cron itself keeps the machine's time."""
        self._plant.move_clock(seconds)
        if seconds > 0:
            await self._plant.defer_jobs(self._jobs)
