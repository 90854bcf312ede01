"""Pictures of anonymous suggestions, found by their signed address alone."""

from __future__ import annotations

from backend.kernel import db
from backend.kernel.pictures import KIND
from backend.kernel.signed_pictures import Image, SignedPictures

PICTURES = SignedPictures("/v1/anonymous/pictures", "suggestion picture address")


async def find_picture(picture_id: str, small: bool) -> Image | None:
    """A picture in the size that is asked for; None for none."""
    column = "small" if small else "large"
    found: bytes | None = await db.fetchval(
        f"SELECT {column} FROM suggestion_picture WHERE id = $1",  # noqa: S608 - one of two names
        picture_id,
    )
    return None if found is None else (KIND, found)
