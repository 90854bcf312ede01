"""Many things that a job does, one after the other."""

from __future__ import annotations

from backend.kernel import tries


async def test_what_raises_stops_no_other():
    done: list[str] = []

    async def work(one: str) -> None:
        if one == "b":
            raise ValueError
        done.append(one)

    await tries.each(work, ["a", "b", "c"])

    assert done == ["a", "c"]
