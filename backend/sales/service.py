"""When a member confirms by payment PIN what they spend of their own on the phone: one rule for all that is bought."""

from __future__ import annotations

from backend.kernel.config import settings
from backend.members import queries as members
from backend.members import service as member_service


async def confirm_spending(member_id: int, taken_fen: int, pin: str | None) -> bool:
    """Check the PIN of what takes so much of a member's own; whether the day has to count it (``plans.day_guard``).

    Points count at what they pay. Who has set no PIN spends by their session alone, and no day counts it; who has,
    needs it above the password-free limit, and counts what goes without.

    Call it outside of any transaction. Raises ``PinRequired`` and the other refusals of a PIN.
    """
    if not taken_fen:
        return False
    if pin is not None:
        await member_service.check_pin(member_id, pin, spends_fen=taken_fen)
        return False
    if not await members.has_pin(member_id):
        return False
    if taken_fen > settings().password_free_sale_fen:
        await member_service.check_pin(member_id, None)
    return True
