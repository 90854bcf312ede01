"""What happens to archives and to accounts."""

from __future__ import annotations

from backend.kernel.events import Event


class ExportReady(Event, frozen=True, kw_only=True):
    """A member's archive can be fetched."""

    export_id: str


class ExportHandedOut(Event, frozen=True, kw_only=True):
    """A member's archive may be fetched by somebody of the staff, for the member."""

    handout_id: str


class ErasureAsked(Event, frozen=True, kw_only=True):
    """An account is to be erased when its days are over, unless its member takes it back."""

    erasure_id: str


class ErasureLapsed(Event, frozen=True, kw_only=True):
    """An account was not erased: something stood in the way for too long, or more value had come."""

    erasure_id: str


class MemberErased(Event, frozen=True, kw_only=True):
    """A membership has ended, and the member is a number from now on."""

    erasure_id: str
