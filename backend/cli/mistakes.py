"""How a command ends that cannot do what it was asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def told_plainly() -> Iterator[None]:
    """What a user can put right is said in plain words, without a traceback: exit code 2; 130 after Ctrl-C."""
    from backend.engines.errors import EngineError
    from backend.kernel.config import SettingsError

    try:
        yield
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not isinstance(error, (SettingsError, EngineError, *_out_of_reach())):
            raise
        print(f"huiyuan: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


def _out_of_reach() -> tuple[type[Exception], ...]:
    """What a file that is not to be had raises, and a database that is down or does not let us in."""
    import asyncpg
    from tortoise.exceptions import DBConnectionError

    return (
        OSError,
        DBConnectionError,
        asyncpg.PostgresConnectionError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    )
