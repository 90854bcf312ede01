"""Pictures, and phones that upload them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import httpx
from PIL import Image

from tests.support.members import Phone


def picture(
    kind: str = "PNG", size: tuple[int, int] = (30, 20), color: str = "#336699", mode: str = "RGB", **options: Any
) -> bytes:
    """A picture of one colour; a large one of ``mode`` 1 is quickly made."""
    out = BytesIO()
    Image.new(mode, size, color).save(out, kind, **options)
    return out.getvalue()


async def upload(phone: Phone, data: bytes, kind: str = "image/png") -> httpx.Response:
    """POST /v1/member/media."""
    headers = {"authorization": f"Bearer {phone.access_token}", "content-type": kind}
    return await phone.client.post("/v1/member/media", content=data, headers=headers)


async def uploaded(phone: Phone, color: str) -> str:
    """The id of a picture of that colour that the member has just uploaded."""
    answer = await upload(phone, picture(color=color))
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found
