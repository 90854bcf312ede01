"""What hangs on top of the demo mall's first page: three pictures, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from backend.kernel import pictures

WIDTH, HEIGHT = 1029, 420
"""Three pixels for each of the phone page's."""

_WHITE = "#ffffff"


class Banner(NamedTuple):
    """A picture and where it leads; ``store_id`` None: at every store."""

    title: str
    link_kind: str
    link: str
    store_id: str | None
    grounds: tuple[str, str, str]


BANNERS = (
    Banner("江浙沪满 99 元包邮", "category", "living", None, ("#e4f1ea", "#0b7a5b", "#8fc7b0")),
    Banner("惠员纪念 T 恤，三色四码", "product", "P-SHIRT", None, ("#fdf0df", "#c46a12", "#f0b978")),
    Banner("西湖店，门店自提更快", "none", "", "S003", ("#e8eefb", "#2f5fb3", "#9fbbea")),
)


def draw(grounds: Sequence[str], number: int) -> pictures.Picture:
    """Hills, a sun, and a row of parcels: as many more as the number says."""
    ground, ink, light = grounds
    image = Image.new("RGB", (WIDTH, HEIGHT), ground)
    pen = ImageDraw.Draw(image)
    pen.ellipse((WIDTH - 300, 50, WIDTH - 140, 210), fill=light)
    pen.ellipse((-160, 240, 520, 760), fill=light)
    pen.ellipse((360, 290, 1240, 800), fill=ink)
    for place in range(3 + number):
        left, size = 90 + place * 150, 110 - 12 * (place % 3)
        pen.rounded_rectangle((left, 330 - size, left + size, 330), radius=10, fill=_WHITE, outline=ink, width=6)
        pen.line((left + size // 2, 330 - size, left + size // 2, 330), fill=ink, width=6)
    return pictures.encode(image)
