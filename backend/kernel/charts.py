"""Charts, drawn by us as SVG and as PNG: bars, stacked bars, and a line over time.

One layout for both: a canvas takes rectangles, lines and texts. Every chart has a title, axes with their numbers, and
a text that says what it shows: in the SVG as ``<title>`` and ``<desc>``, in the PNG as its ``Title`` and
``Description``. Texts are escaped; nothing in a chart runs or is loaded.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol
from xml.sax.saxutils import escape

from .errors import DomainError, Kind

Form = Literal["svg", "png"]
Anchor = Literal["start", "middle", "end"]

WIDTH = 720
MARGIN = 24
LABELS = 200
HEAD = 84
ROW = 34
AXIS = 46
PLOT_HEIGHT = 240
SCALE = 2
"""Pixels of the PNG for each unit."""

INK, MUTED, GRID = "#1A1A1A", "#6B7280", "#E5E7EB"
OTHERS = ("#B8860B", "#3B7DC4", "#8E5EA2", "#C8553D", "#4B8F8C", "#9CA3AF", "#D4A24E", "#7FA6D6")
"""What stands beside the brand colour."""

HIDDEN = "＜5"


class ChartUnavailable(DomainError):
    """Charts as PNG need a Chinese font on the server (Debian: fonts-noto-cjk); the SVG needs none."""

    code = "chart_unavailable"
    kind = Kind.UNAVAILABLE


class Bar(NamedTuple):
    """A bar; ``value`` None is too small to be told. ``note`` stands at its end."""

    label: str
    value: float | None
    note: str


class Bars(NamedTuple):
    """Bars from left to right."""

    title: str
    subtitle: str
    axis: str
    bars: Sequence[Bar]


class Stacks(NamedTuple):
    """Bars that are made of parts: one for each of ``names``."""

    title: str
    subtitle: str
    axis: str
    names: Sequence[str]
    lines: Sequence[tuple[str, Sequence[int | None]]]


class Curve(NamedTuple):
    """Values over time; the labels are days."""

    title: str
    subtitle: str
    axis: str
    points: Sequence[tuple[str, float]]


Chart = Bars | Stacks | Curve


class Canvas(Protocol):
    """What charts are drawn on; lengths are in units, from the upper left corner."""

    def rect(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """A filled rectangle."""

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float) -> None:
        """A line through points."""

    def text(self, x: float, y: float, text: str, size: int, color: str, anchor: Anchor = "start") -> None:
        """A text whose middle is at the height ``y``."""


def draw(chart: Chart, form: Form, color: str) -> bytes:
    """The chart in that form; ``color`` is the chain's. ``ChartUnavailable``: no font for a PNG."""
    height = _height(chart)
    title, words = chart.title, description(chart)
    canvas: _Svg | _Png = _Svg(height, title, words) if form == "svg" else _Png(height, title, words)
    _head(canvas, chart)
    if isinstance(chart, Curve):
        _curve(canvas, chart, color)
    elif isinstance(chart, Stacks):
        _stacks(canvas, chart, color)
    else:
        _bars(canvas, chart, color)
    return canvas.done()


def description(chart: Chart) -> str:
    """What a chart shows, in words."""
    if isinstance(chart, Curve):
        items = [f"{label}：{value:g}" for label, value in chart.points]
    elif isinstance(chart, Stacks):
        items = [
            f"{label}："
            + "，".join(
                f"{name} {HIDDEN if count is None else count}" for name, count in zip(chart.names, counts, strict=True)
            )
            for label, counts in chart.lines
        ]
    else:
        items = [f"{bar.label}：{bar.note}" for bar in chart.bars]
    return f"{chart.subtitle}。" + "；".join(items)


def _height(chart: Chart) -> int:
    if isinstance(chart, Curve):
        return HEAD + PLOT_HEIGHT + AXIS
    rows = len(chart.lines) if isinstance(chart, Stacks) else len(chart.bars)
    return HEAD + max(rows, 1) * ROW + AXIS + (_legend_rows(chart.names) * 22 if isinstance(chart, Stacks) else 0)


def _head(canvas: Canvas, chart: Chart) -> None:
    canvas.text(MARGIN, 32, _fit(chart.title, 20, WIDTH - 2 * MARGIN), 20, INK)
    canvas.text(MARGIN, 58, _fit(chart.subtitle, 13, WIDTH - 2 * MARGIN), 13, MUTED)


def _bars(canvas: Canvas, chart: Bars, color: str) -> None:
    most = _axis_end(max((bar.value or 0 for bar in chart.bars), default=0))
    bottom = HEAD + max(len(chart.bars), 1) * ROW
    _across(canvas, most, bottom, chart.axis)
    for number, bar in enumerate(chart.bars):
        y = HEAD + number * ROW
        canvas.text(MARGIN + LABELS - 10, y + ROW / 2, _fit(bar.label, 14, LABELS - 10), 14, INK, "end")
        length = (bar.value or 0) / most * _plot()
        if length:
            canvas.rect(MARGIN + LABELS, y + 7, max(length, 1), ROW - 14, color)
        canvas.text(MARGIN + LABELS + length + 8, y + ROW / 2, bar.note, 13, MUTED)


def _stacks(canvas: Canvas, chart: Stacks, color: str) -> None:
    most = _axis_end(max((sum(count or 0 for count in counts) for _, counts in chart.lines), default=0))
    bottom = HEAD + max(len(chart.lines), 1) * ROW
    _across(canvas, most, bottom, chart.axis)
    colors = _colors(color, len(chart.names))
    for number, (label, counts) in enumerate(chart.lines):
        y, x = HEAD + number * ROW, float(MARGIN + LABELS)
        canvas.text(MARGIN + LABELS - 10, y + ROW / 2, _fit(label, 14, LABELS - 10), 14, INK, "end")
        for place, count in enumerate(counts):
            length = (count or 0) / most * _plot()
            if length:
                canvas.rect(x, y + 7, max(length, 1), ROW - 14, colors[place])
                if length > 26:
                    canvas.text(x + length / 2, y + ROW / 2, str(count), 12, "#FFFFFF", "middle")
            x += length
        if any(count is None for count in counts):
            canvas.text(x + 8, y + ROW / 2, f"+ {HIDDEN}", 12, MUTED)
    for left, top, name, place in _legend(chart.names, bottom + AXIS):
        canvas.rect(left, top - 6, 12, 12, colors[place])
        canvas.text(left + 18, top, name, 12, INK)


def _legend(names: Sequence[str], top: float) -> Iterator[tuple[float, float, str, int]]:
    x, y = float(MARGIN), top
    for place, name in enumerate(names):
        fitted = _fit(name, 12, 160)
        width = 18 + _width(fitted, 12) + 20
        if x + width > WIDTH - MARGIN and x > MARGIN:
            x, y = float(MARGIN), y + 22
        yield x, y, fitted, place
        x += width


def _legend_rows(names: Sequence[str]) -> int:
    return len({y for _, y, _, _ in _legend(names, 0)}) or 1


def _curve(canvas: Canvas, chart: Curve, color: str) -> None:
    left, bottom = MARGIN + 48, HEAD + PLOT_HEIGHT
    values = [value for _, value in chart.points]
    most = _axis_end(max(values, default=0))
    for tick in range(5):
        y = bottom - PLOT_HEIGHT * tick / 4
        canvas.line([(left, y), (WIDTH - MARGIN, y)], GRID, 1)
        canvas.text(left - 8, y, f"{most * tick / 4:g}", 12, MUTED, "end")
    canvas.text(WIDTH - MARGIN, 58, chart.axis, 12, MUTED, "end")
    span = WIDTH - MARGIN - left - 10
    places = [left + 5 + span * number / max(len(values) - 1, 1) for number in range(len(values))]
    spots = [(x, bottom - value / most * PLOT_HEIGHT) for x, value in zip(places, values, strict=True)]
    if len(spots) > 1:
        canvas.line(spots, color, 2.5)
    for x, y in spots if len(spots) <= 60 else ():
        canvas.rect(x - 3, y - 3, 6, 6, color)
    every = max((len(places) + 5) // 6, 1)
    for number in range(0, len(places), every):
        last = number == len(places) - 1
        anchor: Anchor = "end" if last and number else "middle" if number else "start"
        canvas.text(places[number], bottom + 18, chart.points[number][0], 12, MUTED, anchor)


def _across(canvas: Canvas, most: float, bottom: float, axis: str) -> None:
    """The grid of bars with its numbers, and what they count."""
    for tick in range(5):
        x = MARGIN + LABELS + _plot() * tick / 4
        canvas.line([(x, HEAD), (x, bottom)], GRID, 1)
        canvas.text(x, bottom + 14, f"{most * tick / 4:g}", 12, MUTED, "middle")
    canvas.text(MARGIN + LABELS + _plot(), bottom + 32, axis, 12, MUTED, "end")


def _plot() -> int:
    return WIDTH - 2 * MARGIN - LABELS - 90


def _axis_end(value: float) -> float:
    """The end of an axis that holds the value: 4, 8, 12, 16, 20, 40 … so that its four parts are round."""
    step = 1.0
    while True:
        for part in (4, 8, 12, 16, 20):
            if part * step >= value:
                return part * step
        step *= 10


def _colors(color: str, count: int) -> list[str]:
    known = (color, *OTHERS)
    return [known[place % len(known)] for place in range(count)]


def _width(text: str, size: int) -> float:
    """About how wide a text is: Chinese characters are as wide as high."""
    return sum(1.0 if ord(char) > 0x2E7F else 0.56 for char in text) * size


def _fit(text: str, size: int, width: float) -> str:
    if _width(text, size) <= width:
        return text
    while text and _width(text, size) > width - size:
        text = text[:-1]
    return f"{text}…"


class _Svg:
    """A canvas that writes SVG."""

    FONTS = "'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"

    def __init__(self, height: int, title: str, words: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"',
            f' height="{height}" role="img" aria-labelledby="t d" font-family="{self.FONTS}">',
            f'<title id="t">{escape(title)}</title><desc id="d">{escape(words)}</desc>',
            f'<rect width="{WIDTH}" height="{height}" fill="#FFFFFF"/>',
        ]

    def rect(self, x: float, y: float, width: float, height: float, color: str) -> None:
        self._parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>')

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float) -> None:
        spots = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(f'<polyline points="{spots}" fill="none" stroke="{color}" stroke-width="{width:g}"/>')

    def text(self, x: float, y: float, text: str, size: int, color: str, anchor: Anchor = "start") -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y + size * 0.35:.1f}" font-size="{size}" fill="{color}" text-anchor="{anchor}">'
            f"{escape(text)}</text>"
        )

    def done(self) -> bytes:
        return "".join([*self._parts, "</svg>"]).encode()


_ANCHORS: dict[Anchor, str] = {"start": "lm", "middle": "mm", "end": "rm"}


class _Png:
    """A canvas that paints pixels."""

    def __init__(self, height: int, title: str, words: str) -> None:
        from PIL import Image, ImageDraw, PngImagePlugin  # only who asks for a PNG pays for it

        self._font = _font_file()
        self._info = PngImagePlugin.PngInfo()
        self._info.add_itxt("Title", title)
        self._info.add_itxt("Description", words)
        self._image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), "#FFFFFF")
        self._draw = ImageDraw.Draw(self._image)

    def rect(self, x: float, y: float, width: float, height: float, color: str) -> None:
        box = (x * SCALE, y * SCALE, (x + width) * SCALE - 1, (y + height) * SCALE - 1)
        self._draw.rectangle(box, fill=color)

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float) -> None:
        spots = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(spots, fill=color, width=round(width * SCALE), joint="curve")

    def text(self, x: float, y: float, text: str, size: int, color: str, anchor: Anchor = "start") -> None:
        font = _font(self._font, size * SCALE)
        self._draw.text((x * SCALE, y * SCALE), text, font=font, fill=color, anchor=_ANCHORS[anchor])

    def done(self) -> bytes:
        out = io.BytesIO()
        self._image.save(out, "PNG", pnginfo=self._info, optimize=False)
        return out.getvalue()


_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/System/Library/Fonts")
_NAMES = (
    "NotoSansCJK*-Regular.*",
    "NotoSansSC*Regular.*",
    "SourceHanSans*Regular.*",
    "wqy-microhei.*",
    "wqy-zenhei.*",
    "PingFang.*",
    "DroidSansFallback*.*",
    "NotoSerifCJK*-Regular.*",
)


@lru_cache(maxsize=1)
def _find_font() -> str | None:
    for name in _NAMES:
        for folder in _FOLDERS:
            for found in sorted(Path(folder).expanduser().rglob(name)):
                if found.suffix in (".ttc", ".ttf", ".otf"):
                    return str(found)
    return None


def _font_file() -> str:
    found = _find_font()
    if found is None:
        raise ChartUnavailable
    return found


@lru_cache(maxsize=16)
def _font(file: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(file, size)
