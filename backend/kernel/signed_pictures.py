"""Pictures behind signed addresses: two calls for each sort, the picture and a small one.

Whoever may see a picture is given its address with what shows it, anew each time; it is good for an hour or two. An
address that is not ours, or over, is answered as one of nothing, and counts against whoever asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import Meta

from . import addresses, limits
from .config import settings
from .errors import NotFound
from .http import Body, Reply, Request, Router, public

Image = tuple[str, bytes]
"""Its media type and its bytes."""

Find = Callable[[str, bool], Awaitable[Image | None]]
"""The picture of an id, and whether the small one is asked for; None for none."""


class AddressQuery(Body):
    """What makes an address good: until when (unix seconds), and our signature."""

    until: Annotated[int, Meta(ge=0, le=2**40)] = 0
    signature: Annotated[str, Meta(max_length=64)] = ""


class SignedPictures:
    """The pictures of one sort, at ``path``; ``purpose`` keeps their signatures apart from all others."""

    def __init__(self, path: str, purpose: str) -> None:
        self._path = path
        self._purpose = purpose

    def address(self, picture_id: str) -> tuple[str, str]:
        """Where a picture and its small one are for the next hour or two; for nobody who may not see it."""
        path, query = f"{self._path}/{picture_id}", addresses.query_for(self._purpose, picture_id)
        return f"{path}{query}", f"{path}/small{query}"

    def serve(self, router: Router, find: Find, *, summary: str, private: bool = False) -> None:
        """Add the two calls. ``private``: neither logged nor counted, and kept by no browser."""
        cache = "private, no-store" if private else "private, max-age=3600"
        headers = {"cache-control": cache, "x-content-type-options": "nosniff"}

        async def read(picture_id: str, query: AddressQuery, request: Request, *, small: bool) -> Reply:
            ours = addresses.is_ours(self._purpose, picture_id, until=query.until, signature=query.signature)
            found = await find(picture_id, small) if ours else None
            if found is None:
                await limits.hit(f"address:{request.client}", settings().rate_anonymous_per_minute)
                raise NotFound("there is no such picture")
            return Reply(found[1], found[0], headers=headers)

        async def get_picture(picture_id: str, query: AddressQuery, request: Request) -> Reply:
            """A picture, for whoever was shown its address, while that is good."""
            return await read(picture_id, query, request, small=False)

        async def get_small_picture(picture_id: str, query: AddressQuery, request: Request) -> Reply:
            """The same within 400 pixels."""
            return await read(picture_id, query, request, small=True)

        for place, name, handler in (("", summary, get_picture), ("/small", f"{summary}（缩略图）", get_small_picture)):
            router.get(
                f"{self._path}/{{picture_id}}{place}",
                guard=public,
                rate_limited=False,
                quiet=not private,
                private=private,
                summary=name,
                errors=(NotFound,),
            )(handler)
