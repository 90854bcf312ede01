"""Address labels: which place of a sheet each takes, and how an address is broken into lines. Pure; lengths in mm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

PAGE = (210.0, 297.0)
"""A4, upright."""

MOST_LABELS = 3000
MOST_SKIP = 63

Width = Callable[[str, float], float]
"""The width in mm of a text at a size in points."""


class Layout(msgspec.Struct, frozen=True):
    """A sheet of labels, or a letter whose address shows in an envelope's window: measured from the top left corner."""

    code: str
    name: str
    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    gap_x: float = 0.0
    gap_y: float = 0.0
    letter: bool = False
    """One page for each address, with the letter's own text below."""

    @property
    def on_page(self) -> int:
        """Labels of a whole sheet."""
        return self.columns * self.rows


LAYOUTS = {
    layout.code: layout
    for layout in (
        Layout("a4-3x8", "A4 不干胶 3×8（70×37 mm）", 3, 8, 70.0, 37.0, 0.0, 0.5),
        Layout("a4-2x7", "A4 不干胶 2×7（99.1×38.1 mm）", 2, 7, 99.1, 38.1, 4.65, 15.15, gap_x=2.5),
        Layout("a4-3x7", "A4 不干胶 3×7（63.5×38.1 mm）", 3, 7, 63.5, 38.1, 7.25, 15.15, gap_x=2.5),
        Layout("window", "DL 开窗信封（信纸三折）", 1, 1, 85.0, 36.0, 22.0, 50.0, letter=True),
    )
}


class Label(msgspec.Struct, frozen=True):
    """One addressee: the region and the street, the name; and the letter's text where the layout has room for it."""

    region: str
    street: str
    name: str
    title: str = ""
    body: str = ""

    def __repr__(self) -> str:
        return "<label>"


class Place(msgspec.Struct, frozen=True):
    """Where a label lies: the page from 0, and its left and upper edge."""

    page: int
    x: float
    y: float


class Fitted(msgspec.Struct, frozen=True):
    """Lines that fit, at that size in points; ``cut`` where even the smallest size was too large for all of it."""

    size: float
    lines: tuple[str, ...]
    cut: bool = False


def place(layout: Layout, index: int, skip: int) -> Place:
    """The place of a label, the first ``skip`` places of the first sheet being used already: row by row."""
    page, on_page = divmod(index + skip, layout.on_page)
    row, column = divmod(on_page, layout.columns)
    return Place(
        page,
        layout.left + column * (layout.width + layout.gap_x),
        layout.top + row * (layout.height + layout.gap_y),
    )


def pages(layout: Layout, count: int, skip: int) -> int:
    """How many pages that many labels take."""
    return -(-(count + skip) // layout.on_page) if count else 0


SIZES = (11.0, 10.0, 9.0, 8.0, 7.0)
LEADING = 1.3
_MM_A_POINT = 25.4 / 72


def fit(
    paragraphs: Sequence[str], width: float, height: float, measure: Width, sizes: Sequence[float] = SIZES
) -> Fitted:
    """Break paragraphs into lines at the largest size at which they fit into a box.

    Chinese breaks anywhere, words of letters and digits where there is room for them whole. At the smallest size what
    is too much is cut from the middle paragraphs, never from the last: that is the name.
    """
    for size in sizes:
        lines = [line for text in paragraphs for line in _broken(text, width, size, measure)]
        if len(lines) * size * LEADING * _MM_A_POINT <= height:
            return Fitted(size, tuple(lines))
    size = sizes[-1]
    room = max(int(height / (size * LEADING * _MM_A_POINT)), 2)
    *first, last = paragraphs
    end = _broken(last, width, size, measure)[:1]
    lines = [line for text in first for line in _broken(text, width, size, measure)][: room - 1]
    return Fitted(size, (*lines[:-1], f"{lines[-1][:-1]}…", *end) if lines else tuple(end), cut=True)


def _broken(text: str, width: float, size: float, measure: Width) -> list[str]:
    lines, line = [], ""
    for piece in _pieces(text):
        while piece:
            if measure(line + piece, size) <= width:
                line, piece = line + piece, ""
            elif line:
                lines.append(line.rstrip())
                line, piece = "", piece.lstrip()
            else:  # a word longer than the line
                keep = max(
                    count for count in range(1, len(piece) + 1) if count == 1 or measure(piece[:count], size) <= width
                )
                lines.append(piece[:keep])
                piece = piece[keep:]
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _pieces(text: str) -> list[str]:
    """What is not to be broken: words of letters and digits; every other character by itself."""
    pieces: list[str] = []
    for sign in text:
        joins = sign.isascii() and sign.isalnum()
        if pieces and joins and pieces[-1].isascii() and pieces[-1].isalnum():
            pieces[-1] += sign
        else:
            pieces.append(sign)
    return pieces
