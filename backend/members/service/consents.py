"""What is agreed to in joining: written down by whoever keeps consents (``privacy``, which stands above)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from backend.kernel.db import Tx

from .. import rules

Keep = Callable[[Tx, int, Sequence[str]], Awaitable[None]]

_keep: Keep | None = None


def keep_consents_by(keep: Keep) -> None:
    """Say how it is written down that a member agreed to these kinds, in the texts now in force."""
    global _keep
    _keep = keep


async def record_joining(tx: Tx, member_id: int) -> None:
    """Write down that a member agreed to everything that joining asks for."""
    if _keep is None:
        raise RuntimeError("nobody keeps what members agree to")
    await _keep(tx, member_id, sorted(rules.CONSENT_VERSIONS))
