"""Pictures that members uploaded, found by their signed address alone."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.signed_pictures import Image, SignedPictures

from ..types import UploadAddress

UPLOADS = SignedPictures("/v1/uploads", "mall upload address")


def upload_address(upload_id: str) -> UploadAddress:
    """Where a member's picture is for the next hour or two; give it to nobody who may not see the picture."""
    return UploadAddress(upload_id, *UPLOADS.address(upload_id))


async def find_upload(upload_id: str, small: bool) -> Image | None:
    """A picture's bytes in the size that is asked for; None for none."""
    column = "small" if small else "large"
    row = await db.fetchrow(f"SELECT kind, {column} FROM mall_upload WHERE id = $1", upload_id)  # noqa: S608
    return (row[0], row[1]) if row else None
