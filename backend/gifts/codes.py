"""Pick-up codes of gifts: a G and ten digits, made from the redemption's id and found by a digest; kept nowhere.

The letter keeps them apart from orders' codes, so that no till asks for one among the others. What guessing is worth:
``backend.orders.rules.pickup``.
"""

from __future__ import annotations

from backend.kernel.vault import vault
from backend.orders.rules import pickup

LETTER = "G"


def code_of(redemption_id: str) -> str:
    """The code that fetches a gift; whoever shows it to the member checks whose it is."""
    return LETTER + pickup.make(vault().derive("gifts.pickup_code", redemption_id.encode()))


def read(text: str) -> str | None:
    """The code in what was typed or read, without blanks, or None for what cannot be one."""
    text = text.strip().upper()
    digits = pickup.read(text.removeprefix(LETTER)) if text.startswith(LETTER) else None
    return LETTER + digits if digits else None


def digest_of(code: str) -> str:
    """What a code is found by."""
    return vault().blind_index(code, context="gifts_redemption.digest")
