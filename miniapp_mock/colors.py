"""Derives the pages' colours from one brand colour, so that text stays readable whatever a chain chooses."""

from __future__ import annotations

import re

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
_TEXT_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3
_WHITE_TEXT_FROM = 3.0
_WHITE, _BLACK, _INK = (255, 255, 255), (0, 0, 0), (0x1A, 0x1A, 0x1A)
_LIGHT_SOFT_MIX, _DARK_SOFT_MIX = 0.10, 0.22
_DARK_CARD = (0x1C, 0x1F, 0x22)

Rgb = tuple[int, int, int]


def brand_css(color: str) -> str:
    """The CSS variables of a brand colour ``#rrggbb``, light and dark scheme; raise ``ValueError`` for another form."""
    brand = parse(color)
    ink = _INK
    if contrast(brand, _WHITE) >= _WHITE_TEXT_FROM:  # a little darker for white text beats black text on blue or red
        brand, ink = readable(brand, on=(_WHITE,), toward=_BLACK), _WHITE
    light_soft = mix(brand, _WHITE, _LIGHT_SOFT_MIX)
    dark_soft = mix(brand, _DARK_CARD, _DARK_SOFT_MIX)
    light = {
        "brand": brand,
        "on-brand": ink,
        "brand-deep": mix(brand, _BLACK, 0.8 if ink == _WHITE else 0.9),
        "brand-text": readable(brand, on=(light_soft, _WHITE), toward=_BLACK),
        "brand-soft": light_soft,
    }
    light |= {"paper-brand-text": light["brand-text"], "paper-brand-soft": light_soft}
    dark = {"brand-text": readable(brand, on=(dark_soft, _DARK_CARD), toward=_WHITE), "brand-soft": dark_soft}
    return f":root {{ {_declare(light)} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_declare(dark)} }} }}\n"


def parse(color: str) -> Rgb:
    """``#rrggbb`` as three numbers."""
    if not _HEX.fullmatch(color):
        raise ValueError(f"not a colour of the form #rrggbb: {color!r}")
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def mix(color: Rgb, ground: Rgb, share: float) -> Rgb:
    """``share`` of the colour laid over the ground."""
    red, green, blue = (round(c * share + g * (1 - share)) for c, g in zip(color, ground, strict=True))
    return red, green, blue


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(color: Rgb, *, on: tuple[Rgb, ...], toward: Rgb) -> Rgb:
    """The colour, moved toward black or white just as far as text on any of those grounds needs."""
    steps = (mix(color, toward, share / 20) for share in range(20, -1, -1))
    return next((step for step in steps if all(contrast(step, ground) >= _TEXT_CONTRAST for ground in on)), toward)


def _luminance(color: Rgb) -> float:
    def linear(channel: int) -> float:
        value = channel / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel) for channel in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _declare(colors: dict[str, Rgb]) -> str:
    return " ".join("--{}: #{:02x}{:02x}{:02x};".format(name, *rgb) for name, rgb in colors.items())
