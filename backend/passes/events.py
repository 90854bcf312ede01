"""What happens to passes, for the layers above and for this domain's own rows."""

from __future__ import annotations

from datetime import date, datetime

from backend.kernel.events import Event

from .types import PassKind, PassState


class PassIssued(Event, frozen=True, kw_only=True):
    """A member has a pass: bought (``store_id`` sold it), given by staff, or earned; ``source`` says which."""

    pass_id: str
    product_id: str
    version: int
    kind: PassKind
    source: str
    uses: int
    paid_fen: int
    at: datetime
    valid_from: date
    expires_on: date | None = None
    store_id: str | None = None


class PassEnded(Event, frozen=True, kw_only=True):
    """A pass ended as ``state``; a pass that was used up may come again to life when its last use is undone."""

    pass_id: str
    state: PassState
    at: datetime


class PassExpiring(Event, frozen=True, kw_only=True):
    """A pass will expire in a few days; said once."""

    pass_id: str
    expires_on: date


class PassReopened(Event, frozen=True, kw_only=True):
    """A use of a pass was undone; one that was used up has uses again."""

    pass_id: str
