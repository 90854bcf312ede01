"""That a member stands there: proved by the code on their phone, which is spent, or by a phone code of their number."""

from __future__ import annotations

from datetime import datetime

import msgspec

from backend.auth import service as auth
from backend.auth.errors import CodeUsed
from backend.auth.service import Shown
from backend.kernel import clock
from backend.kernel.config import settings
from backend.kernel.db import Tx
from backend.kernel.errors import NotFound, invalid
from backend.ledger import service as ledger
from backend.ledger.errors import GuardRefused
from backend.ledger.plans import CodeUse, Plan, job_hash
from backend.wechat import service as wechat

from .. import queries

KIND = "presence"


class Present(msgspec.Struct, frozen=True):
    """A member who stands there: by the code that they showed, or (None) by a phone code of their number."""

    member_id: int
    shown: Shown | None = None


async def find_present(code: str | None, phone_code: str | None) -> Present:
    """Who shows this code now, or whose number WeChat says the phone code is of; call it outside of any transaction.

    Exactly one is given. Raises the code's refusals, ``PhoneCodeInvalid``, or ``NotFound`` for a number of nobody.
    Nothing is spent yet but the phone code.
    """
    if (code is None) == (phone_code is None):
        raise invalid("/code", "give a code or a phone code, not both")
    if code is not None:
        shown = await auth.shown(code)
        return Present(shown.member_id, shown)
    member_id = await queries.find_id_by_phone(await wechat.phone_number(phone_code or ""))
    if member_id is None:
        raise NotFound("nobody has this phone number")
    return Present(member_id)


async def spend_presence(tx: Tx, present: Present, *, store_id: str | None, at: datetime) -> None:
    """Spend the code that proved it, on this transaction; ``CodeUsed`` where somebody was quicker, which loses it."""
    shown = present.shown
    if shown is None:
        return
    key = f"{shown.device_id}:{shown.step}"
    plan = Plan(
        member_id=present.member_id,
        kind=KIND,
        at=at,
        on=clock.local_date(at, settings().timezone),
        scope=KIND,
        key=key,
        hash=job_hash(KIND, key),
        active=True,
        use=CodeUse(store_id) if store_id is not None else None,
        guards=(shown.guard(),),
    )
    try:
        posted = await ledger.post_in(tx, plan)
    except GuardRefused as refused:
        raise CodeUsed from refused
    if posted.replayed:
        raise CodeUsed
