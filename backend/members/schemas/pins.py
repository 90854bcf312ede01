"""Bodies and answers about payment PINs, for staff and tills."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import PinAct, PinState
from .profile import PinText, WechatCode

Code = Annotated[str, Meta(min_length=1, max_length=32, description="会员手机上的动态码：20 位数字")]


class PinActIn(Body, kw_only=True):
    """Who stands there, by the code on their phone or a fresh phone code of their number; and why it is done."""

    code: Code | None = None
    phone_code: WechatCode | None = None
    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]


class PinAtTill(Body, kw_only=True):
    """The PIN that a member typed at the PIN pad, and the code that they showed for it."""

    code: Code
    pin: PinText
    cashier: Annotated[str, Meta(max_length=32, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] | None = None


class PinActOut(msgspec.Struct):
    """What staff or a till did: ``staff/<id>`` or ``terminal/<id>``; ``proof`` is how the member was known."""

    at: datetime
    act: PinAct
    actor: str
    store_id: str | None
    proof: str
    reason: str


class PinOut(msgspec.Struct, kw_only=True):
    """How a member's PIN stands, never what it is.

    Until ``lower_until``, ``lower_left_fen`` may still be confirmed with it.
    """

    state: PinState
    changed_at: datetime | None
    locked_until: datetime | None
    lower_until: datetime | None
    lower_left_fen: int | None
    acts: list[PinActOut]
