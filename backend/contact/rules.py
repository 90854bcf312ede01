"""What a text that was typed or scanned is, and who sees how much: pure."""

from __future__ import annotations

import re

from backend.auth.types import Permission, StaffCaller
from backend.members.types import Level, Member

from .types import By, View

_CODE = re.compile(r"70[0-9]{18}")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_NUMBER = re.compile(r"[1-9][0-9]{11}")
_OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}")
_SPACES = re.compile(r"[\s\-()（）]+")
_COUNTRY = re.compile(r"(\+|00)86(?=1[3-9][0-9]{9}$)")


def recognise(text: str) -> tuple[By, str] | None:
    """What somebody typed, pasted or scanned: how to look it up, and what by; None for what is nothing of ours.

    Phone numbers may be written with spaces, dashes, or +86 before them, as telephones hand them over.
    """
    digits = _COUNTRY.sub("", _SPACES.sub("", text))
    for by, form in ((By.CODE, _CODE), (By.PHONE, _PHONE), (By.MEMBER_NO, _NUMBER)):
        if form.fullmatch(digits):
            return by, digits
    text = text.strip()
    return (By.OPENID, text) if _OPENID.fullmatch(text) else None


def view_of(caller: StaffCaller, member: Member, by: By) -> View | None:
    """How much of this member somebody of the staff sees; None where they may not know of them."""
    full = caller.may(Permission.CONTACT_FULL)
    if caller.office:
        return View.CHAIN if full else View.CLERK
    if member.store_id is not None and member.store_id == caller.store_id:
        return View.MANAGER if full else View.CLERK
    return View.GUEST if by is By.CODE else None


def progress(growth_fen: int, level: Level, levels: list[Level]) -> tuple[Level, int, int] | None:
    """The next level, what is missing, and how far it is in basis points; None at the highest."""
    above = [one for one in levels if one.growth_from_fen > level.growth_from_fen]
    if not above:
        return None
    following = min(above, key=lambda one: one.growth_from_fen)
    if following.ruled:
        return None
    start, goal = level.growth_from_fen, following.growth_from_fen
    done = (growth_fen - start) * 10_000 // (goal - start)
    return following, max(0, goal - growth_fen), min(10_000, max(0, done))
