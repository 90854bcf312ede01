"""The LedgerWriter: posts whatever plans arrived while the previous batch was committing, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from backend.kernel import db, metrics
from backend.kernel.batching import Batcher
from backend.kernel.config import Settings
from backend.kernel.errors import DomainError, Unavailable

from .errors import OutcomeUnknown, PlanInvalid, refusal
from .plans import Plan, encode
from .types import Posted

BATCH = "SELECT ledger_post_batch($1::bigint[], $2::text[]::jsonb[])"
SINGLE = "SELECT ledger_post($1, $2::text::jsonb)"
TRIES = 3
PATIENCE_S = 0.1
"""A batch that takes longer than this, ten times the usual, waits for somebody else's lock: another lane goes on."""

_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was ended between two messages
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,  # no connection is free, or no room on the disk
    asyncpg.PostgresSystemError,
)

_NO_MEANS = ("53", "57", "58")
"""Classes of SQLSTATE that say nothing of the plan: no resources, an operator's hand, the operating system."""


Written = tuple[int, str]
"""A plan as it is sent: the member and the JSON."""


class _Answer(msgspec.Struct):
    refused: str | None = None
    context: dict[str, Any] | None = None
    broken: str | None = None
    message: str | None = None


_posted = msgspec.json.Decoder(Posted)
_answer = msgspec.json.Decoder(_Answer)


def decode(answer: str) -> Posted | DomainError:
    """What one plan's answer in a batch says."""
    if answer.startswith(('{"refused"', '{"context"')):
        refused = _answer.decode(answer)
        return refusal(refused.refused or "", refused.context or {})
    if answer.startswith('{"broken"'):
        broken = _answer.decode(answer)
        if (broken.broken or "").startswith(_NO_MEANS):
            return Unavailable("the database has no room or no means for it now; try again", retry_after_s=1)
        return PlanInvalid(f"{broken.broken}: {broken.message}")
    return _posted.decode(answer)


def decode_error(error: asyncpg.PostgresError) -> Exception:
    """The refusal in an exception that ``ledger_post`` raised when called alone."""
    if isinstance(error, asyncpg.LockNotAvailableError):
        # Nothing was done, and trying on would keep the plans behind this one waiting.
        return Unavailable("somebody else holds this member's books; try again", retry_after_s=1)
    if error.sqlstate != "HY001":
        return PlanInvalid(f"{error.sqlstate}: {error}")
    return refusal(str(error.args[0]), msgspec.json.decode(error.detail or "{}"))


class LedgerWriter:
    """Group commit over connections of its own, outside the ORM's pool.

    A plan that is refused costs its batch nothing. A batch that fails as a whole is posted again plan by plan, which
    the keys make safe; only then is ``OutcomeUnknown`` answered.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connections: list[asyncpg.Connection] = []
        self._batcher: Batcher[Written, str] = Batcher(
            self._post_batch,
            max_size=settings.ledger_batch,
            lanes=settings.ledger_lanes,
            patience_s=PATIENCE_S,
            overflow=_busy,
        )

    async def open(self) -> None:
        """Connect one connection a lane."""
        for _ in range(self._settings.ledger_lanes):
            self._connections.append(await self._connect())

    async def close(self) -> None:
        """Finish what was handed in, then disconnect."""
        await self._batcher.drain()
        for connection in self._connections:
            await connection.close()
        self._connections.clear()

    async def post(self, plan: Plan) -> Posted:
        """Post one plan; raises its refusal.

        What is not the database's work is done outside of the batch, which the next one waits for.
        """
        answer = decode(await self._batcher.submit((plan.member_id, encode(plan))))
        if isinstance(answer, DomainError):
            raise answer
        return answer

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            **db.connect_args(self._settings.database_url),
            statement_cache_size=self._settings.statement_cache_size,
            command_timeout=30,
            timeout=5,
            server_settings={"application_name": "huiyuan-ledger"},
        )

    async def _post_batch(self, plans: list[Written]) -> Sequence[str | BaseException]:
        if self._settings.ledger_batch == 1:
            return [await self._post_alone(plans[0])]
        started = time.perf_counter()
        order = sorted(range(len(plans)), key=lambda index: plans[index][0])
        members, texts = zip(*[plans[index] for index in order], strict=True)
        try:
            answers = await self._run(BATCH, members, texts)
        except TimeoutError:
            # The database does not answer: asking again for each plan would keep all of them waiting for minutes.
            return [OutcomeUnknown() for _ in plans]
        except (asyncpg.PostgresError, *_LOST):
            return [await self._post_alone(plan) for plan in plans]
        finally:
            metrics.LEDGER_BATCH_SIZE.observe(len(plans))
            metrics.LEDGER_SECONDS.observe(time.perf_counter() - started)
        results: list[str | BaseException] = [OutcomeUnknown()] * len(plans)
        for index, answer in zip(order, answers, strict=True):
            results[index] = answer
        return results

    async def _post_alone(self, plan: Written) -> str | BaseException:
        for _ in range(TRIES):
            try:
                answer: str = await self._run(SINGLE, *plan)
            except TimeoutError:
                break
            except (*_LOST, asyncpg.DeadlockDetectedError):
                continue
            except asyncpg.PostgresError as error:
                return decode_error(error)
            return answer
        return OutcomeUnknown()

    async def _run(self, sql: str, *args: Any) -> Any:
        connection = self._connections.pop() if self._connections else await self._connect()
        try:
            if connection.is_closed():
                connection = await self._connect()
            return await connection.fetchval(sql, *args)
        except (asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection.terminate()  # what comes next on it might answer what went before
            raise
        finally:
            if not connection.is_closed():
                self._connections.append(connection)


def _busy() -> Exception:
    return Unavailable("too many postings are waiting", retry_after_s=1)
