"""The keys whose tickets are good, in this process's memory."""

from __future__ import annotations

from datetime import date

from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.kernel.kept import Kept
from backend.kernel.vault import vault

from ..tickets import GOOD_FOR
from ..types import Key

KEY_CONTEXT = "suggestion_key.private"
"""The vault's context of private keys."""

KEPT_S = 5.0


async def _read() -> dict[str, Key]:
    rows = await db.fetch("SELECT id, week, private_sealed FROM suggestion_key ORDER BY week")
    return {
        row["id"]: Key(id=row["id"], week=row["week"], private=vault().open(row["private_sealed"], context=KEY_CONTEXT))
        for row in rows
    }


_keys = Kept(_read, keep_s=KEPT_S)


def today() -> date:
    """The chain's local day."""
    return clock.local_date(clock.now(), settings().timezone)


async def keys() -> dict[str, Key]:
    """The keys whose tickets are good today, by id; at most five seconds old."""
    on = today()
    return {key.id: key for key in (await _keys.get()).values() if key.week <= on < key.week + GOOD_FOR}


def forget_keys() -> None:
    """Read the keys again at the next question: one was made or dropped here."""
    _keys.forget()
