"""What is kept in mind: read once for all who ask, never older than it may be, and never from before a change."""

from __future__ import annotations

import asyncio

import pytest

from backend.kernel import db, kept
from backend.kernel.kept import Kept, KeptEach


class _Source:
    """A read that counts, and waits where it is told to; ``pool`` is the database that is open."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.pool: object = "one"
        self.value = 1
        self.reads = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        monkeypatch.setattr(kept, "monotonic", lambda: self.now)
        monkeypatch.setattr(db, "pool", lambda: self.pool)

    async def read(self) -> int:
        self.reads += 1
        value = self.value
        await self.go_on.wait()
        if value < 0:
            raise ValueError(value)
        return value


async def _let_run() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> _Source:
    return _Source(monkeypatch)


async def test_one_read_serves_all_who_ask_until_it_is_too_old(source):
    known = Kept(source.read, keep_s=5.0)

    assert await asyncio.gather(*(known.get() for _ in range(100))) == [1] * 100
    source.value, source.now = 2, 104.9
    assert await known.get() == 1
    assert source.reads == 1

    source.now = 105.0
    assert await asyncio.gather(*(known.get() for _ in range(100))) == [2] * 100
    assert source.reads == 2


async def test_a_change_made_here_is_seen_at_once_also_while_it_is_being_read(source):
    known = Kept(source.read, keep_s=5.0)
    source.go_on.clear()
    early = asyncio.create_task(known.get())
    await _let_run()

    source.value = 2
    known.forget()
    late = asyncio.create_task(known.get())
    await _let_run()
    source.go_on.set()

    assert (await early, await late, await known.get()) == (1, 2, 2)


async def test_another_database_is_another_answer(source):
    known = Kept(source.read, keep_s=5.0)
    await known.get()

    source.pool, source.value = "two", 2

    assert await known.get() == 2


async def test_a_read_that_fails_is_not_kept(source):
    known = Kept(source.read, keep_s=5.0)
    source.value = -1
    with pytest.raises(ValueError, match="-1"):
        await known.get()

    source.value = 3

    assert await known.get() == 3


async def test_answers_by_key_are_read_once_together_and_forgotten_together(source):
    asked: list[list[str]] = []

    async def read(keys: list[str]) -> list[str]:
        asked.append(keys)
        await source.go_on.wait()
        return [f"{key}{source.value}" for key in keys]

    known = KeptEach(read, keep_s=5.0, most=3)
    assert await known.get_many(["b", "a", "b"]) == ["b1", "a1", "b1"]
    source.value, source.now = 2, 104.9
    assert await known.get_many(["a", "c"]) == ["a1", "c2"]
    assert asked == [["b", "a"], ["c"]]

    assert await known.get_many(["a"]) == ["a2"]  # there were three: room is made
    source.value, source.now = 3, 109.9
    assert await known.get_many(["a"]) == ["a3"]
    source.pool, source.value = "two", 4
    assert await known.get_many(["a"]) == ["a4"]

    source.go_on.clear()
    early = asyncio.create_task(known.get_many(["d"]))
    await _let_run()
    known.forget()
    source.value = 5
    late = asyncio.create_task(known.get_many(["d"]))
    source.go_on.set()
    await early
    assert (await late, await known.get_many(["d"])) == (["d5"], ["d5"])
