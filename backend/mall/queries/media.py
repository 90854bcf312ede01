"""Pictures as they are served; never changed, since their id is what they look like."""

from __future__ import annotations

from collections import OrderedDict

from backend.kernel import db

REMEMBERED_BYTES = 32 << 20

Image = tuple[str, bytes]
"""Its media type and its bytes."""


class _Remembered:
    """The pictures that were asked for last, as many as have room."""

    def __init__(self) -> None:
        self.pool: object = None
        self.images: OrderedDict[tuple[str, bool], Image] = OrderedDict()
        self.size = 0

    def find(self, key: tuple[str, bool]) -> Image | None:
        if self.pool is not db.pool():
            self.pool, self.images, self.size = db.pool(), OrderedDict(), 0
        image = self.images.get(key)
        if image is not None:
            self.images.move_to_end(key)
        return image

    def keep(self, key: tuple[str, bool], image: Image) -> None:
        if key not in self.images:
            self.images[key] = image
            self.size += len(image[1])
        while self.size > REMEMBERED_BYTES:
            _, (_, body) = self.images.popitem(last=False)
            self.size -= len(body)


_remembered = _Remembered()


async def find_image(media_id: str, *, small: bool) -> Image | None:
    """A picture's bytes in the size that is asked for, or None."""
    image = _remembered.find((media_id, small))
    if image is None:
        column = "small" if small else "large"
        row = await db.fetchrow(f"SELECT kind, {column} FROM mall_media WHERE id = $1", media_id)  # noqa: S608
        if row is None:
            return None
        image = (row[0], row[1])
        _remembered.keep((media_id, small), image)
    return image
