"""Pictures of anonymous suggestions, found by their signed address alone."""

from __future__ import annotations

from backend.kernel import addresses, db

PURPOSE = "suggestion picture address"


def picture_address(picture_id: str) -> tuple[str, str]:
    """Where a picture and its small one are for the next hour or two."""
    path, query = f"/v1/anonymous/pictures/{picture_id}", addresses.query_for(PURPOSE, picture_id)
    return f"{path}{query}", f"{path}/small{query}"


async def find_picture(picture_id: str, *, until: int, signature: str, small: bool) -> bytes | None:
    """A picture in the size that is asked for; None for none, and for an address that is not ours or over."""
    if not addresses.is_ours(PURPOSE, picture_id, until=until, signature=signature):
        return None
    column = "small" if small else "large"
    found: bytes | None = await db.fetchval(
        f"SELECT {column} FROM suggestion_picture WHERE id = $1",  # noqa: S608 - one of two names
        picture_id,
    )
    return found
