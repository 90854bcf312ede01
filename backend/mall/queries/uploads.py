"""Pictures that members uploaded, found by their signed address alone."""

from __future__ import annotations

from backend.kernel import addresses, db

from ..types import UploadAddress
from .media import Image

PURPOSE = "mall upload address"


def upload_address(upload_id: str) -> UploadAddress:
    """Where a member's picture is for the next hour or two; give it to nobody who may not see the picture."""
    query = addresses.query_for(PURPOSE, upload_id)
    return UploadAddress(upload_id, f"/v1/uploads/{upload_id}{query}", f"/v1/uploads/{upload_id}/small{query}")


async def find_upload(upload_id: str, *, until: int, signature: str, small: bool) -> Image | None:
    """A picture's bytes in the size that is asked for; None for none, and for an address that is not ours or over."""
    if not addresses.is_ours(PURPOSE, upload_id, until=until, signature=signature):
        return None
    column = "small" if small else "large"
    row = await db.fetchrow(f"SELECT kind, {column} FROM mall_upload WHERE id = $1", upload_id)  # noqa: S608
    return (row[0], row[1]) if row else None
