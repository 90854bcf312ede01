"""What customer service does in the background."""

from __future__ import annotations

from backend.kernel import jobs

from .commands import desk, pictures, receive, robot, sending


@jobs.task(name=receive.ANSWER)
async def answer(conversation_id: str, seq: int) -> None:
    """Answer what a customer wrote, as was decided when it came."""
    await robot.answer(int(conversation_id), seq)


@jobs.task(name=receive.FETCH)
async def fetch(conversation_id: str, seq: int) -> None:
    """Bring a customer's picture here."""
    await pictures.fetch(int(conversation_id), seq)


@jobs.every("* * * * *")
async def give_up_stuck() -> None:
    """Say of what a process that died was sending that nobody knows; sent again it could arrive twice."""
    await sending.give_up_stuck()


@jobs.every("20 * * * *")
async def sweep() -> None:
    """Fetch the pictures that jobs gave up on, and close what nobody can answer any more."""
    await pictures.fetch_again()
    await desk.close_over()
