"""Pictures as they are kept: drawn anew from their pixels, so that nothing else of what was sent is stored."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL import Image

KIND = "image/webp"
LARGE_PX = 1600
SMALL_PX = 400
MOST_BYTES = 8 << 20
MOST_PIXELS = 25_000_000
_READ = ("JPEG", "PNG", "WEBP")


class Picture(msgspec.Struct, frozen=True):
    """A picture in two sizes; ``id`` is the SHA-256 of the large one (hex), width and height are that one's."""

    id: str
    width: int
    height: int
    large: bytes
    small: bytes


class NotAPicture(ValueError):
    """What was sent is none that we read, or too large."""


def draw_anew(data: bytes) -> Picture:
    """The picture that these bytes show, upright, within 1600 pixels, and a small one within 400; ``NotAPicture``.

    JPEG, PNG and WebP are read, by content, whatever they are called; of a moving picture the first frame.
    """
    from PIL import Image, ImageOps  # 3 MB in every process: only those that are sent pictures pay for it

    if len(data) > MOST_BYTES:
        raise NotAPicture("the picture is larger than 8 MiB")
    try:
        with Image.open(BytesIO(data), formats=_READ) as image:
            image.draft("RGB", (LARGE_PX, LARGE_PX))  # a JPEG is decoded no larger than it is needed
            if image.width * image.height > MOST_PIXELS:
                raise NotAPicture("the picture has more than 25 million pixels")
            upright = ImageOps.exif_transpose(image)
            pixels = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except NotAPicture:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise NotAPicture("not a JPEG, PNG or WebP picture") from error
    return encode(pixels)


def encode(pixels: Image.Image) -> Picture:
    """Pixels as they are kept; ``pixels`` become the large picture."""
    pixels.thumbnail((LARGE_PX, LARGE_PX))
    body = _webp(pixels)
    small = body
    if max(pixels.size) > SMALL_PX:
        smaller = pixels.copy()
        smaller.thumbnail((SMALL_PX, SMALL_PX))
        small = _webp(smaller)
    return Picture(hashlib.sha256(body).hexdigest(), pixels.width, pixels.height, body, small)


def _webp(pixels: Image.Image) -> bytes:
    out = BytesIO()
    # Whatever came beside the pixels is left out, the colour profile too.
    pixels.save(out, "WEBP", quality=82, method=4, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()
