"""Pictures that members uploaded, found by their signed address alone."""

from __future__ import annotations

import hmac

from backend.kernel import clock, db
from backend.kernel.vault import vault

from ..rules import addresses
from ..types import UploadAddress
from .media import Image


def upload_address(upload_id: str) -> UploadAddress:
    """Where a member's picture is for the next hour or two; give it to nobody who may not see the picture."""
    until = addresses.good_until(clock.unix())
    query = f"?until={until}&signature={_signature(upload_id, until)}"
    return UploadAddress(upload_id, f"/v1/uploads/{upload_id}{query}", f"/v1/uploads/{upload_id}/small{query}")


def _signature(upload_id: str, until: int) -> str:
    return vault().derive("mall upload address", f"{upload_id}\n{until}".encode()).hex()


async def find_upload(upload_id: str, *, until: int, signature: str, small: bool) -> Image | None:
    """A picture's bytes in the size that is asked for; None for none, and for an address that is not ours or over."""
    if not addresses.is_good(until, clock.unix()):
        return None
    if not hmac.compare_digest(signature.encode(), _signature(upload_id, until).encode()):
        return None
    column = "small" if small else "large"
    row = await db.fetchrow(f"SELECT kind, {column} FROM mall_upload WHERE id = $1", upload_id)  # noqa: S608
    return (row[0], row[1]) if row else None
