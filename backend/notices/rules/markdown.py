"""Markdown as blocks: a page draws them with its own elements, so nothing that staff write is ever taken for HTML.

What is read: headings, paragraphs, bold, italic, struck, code, lists, quotes, tables, lines, links and pictures. HTML
is text like any other. Links lead to https addresses or to pages of our own, pictures are our own.

Source: CommonMark 0.31; GitHub Flavored Markdown (tables, strikethrough).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from ..types import Block, Blocks, Code, Heading, Listing, Paragraph, Picture, Quote, Rule, Span, Spans, Table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MOST_PICTURES = 20
LOWEST_HEADING = 3
_LONGEST_LINK = 500
_OWN_PAGE = re.compile(r"#/[A-Za-z0-9/_=&?.%-]*\Z")
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][^\s\\]*)?\Z")
_MEDIA = re.compile(r"(?:media:|/v1/media/)([0-9a-f]{64})\Z")


class UnsafeText(ValueError):
    """The text has a link or a picture that may not be in it; the message says which."""


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # only who writes or shows texts pays for it

    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.disable(["html_block", "html_inline"])
    made.validateLink = lambda url: True  # type: ignore[method-assign]  # ours is stricter, and says what is wrong
    return made


def parse(text: str) -> Blocks:
    """The text's blocks; ``UnsafeText`` for links and pictures that may not be in it."""
    tokens = _Tokens(_parser().parse(text))
    blocks = tuple(tokens.blocks(None))
    if len(pictures_of(blocks)) > MOST_PICTURES:
        raise UnsafeText(f"a text has at most {MOST_PICTURES} pictures")
    return blocks


class _Tokens:
    """The parser's tokens, read from front to back: what it opens, it closes."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def blocks(self, until: str | None) -> Iterator[Block]:
        """The blocks up to the token that closes them; it is read, too."""
        while self._at < len(self._tokens):
            token = self._next()
            if token.type == until:
                return
            yield from self._block(token)

    def _block(self, token: Token) -> Iterator[Block]:
        match token.type:
            case "heading_open":
                yield Heading(min(int(token.tag[1]), LOWEST_HEADING), _without_pictures(self._next()))
                self._next()
            case "paragraph_open":
                yield from _paragraphs(self._next())
                self._next()
            case "blockquote_open":
                yield Quote(tuple(self.blocks("blockquote_close")))
            case "bullet_list_open" | "ordered_list_open":
                ordered = token.type.startswith("ordered")
                first = int(token.attrs.get("start", 1)) if ordered else 1
                yield Listing(ordered, first, tuple(self._items(token.type.replace("open", "close"))))
            case "fence" | "code_block":
                yield Code(token.content.rstrip("\n"))
            case "hr":
                yield Rule()
            case "table_open":
                yield self._table()

    def _items(self, until: str) -> Iterator[tuple[Block, ...]]:
        while self._next().type != until:
            yield tuple(self.blocks("list_item_close"))

    def _table(self) -> Table:
        rows: list[tuple[Spans, ...]] = []
        cells: list[Spans] = []
        while (token := self._next()).type != "table_close":
            if token.type == "inline":
                cells.append(_without_pictures(token))
            elif token.type == "tr_close":
                rows.append(tuple(cells))
                cells = []
        return Table(rows[0], tuple(rows[1:]))


def _paragraphs(inline: Token) -> Iterator[Paragraph | Picture]:
    """A paragraph, with its pictures each in a line of their own."""
    spans: list[Span] = []
    for item in _inline(inline.children or []):
        if isinstance(item, Span):
            spans.append(item)
            continue
        if _says_something(spans):
            yield Paragraph(_joined(spans))
        spans = []
        yield item
    if _says_something(spans):
        yield Paragraph(_joined(spans))


def _says_something(spans: list[Span]) -> bool:
    return any(span.text.strip() for span in spans)


def _without_pictures(inline: Token) -> Spans:
    items = list(_inline(inline.children or []))
    if any(isinstance(item, Picture) for item in items):
        raise UnsafeText("a picture stands in a paragraph, not in a heading or a table")
    return _joined([item for item in items if isinstance(item, Span)])


_MARKS = {"strong": "bold", "em": "italic", "s": "struck"}


def _inline(tokens: list[Token]) -> Iterator[Span | Picture]:
    look = Span("")
    for token in tokens:
        kind, _, side = token.type.rpartition("_")
        if kind in _MARKS:
            look = msgspec.structs.replace(look, **{_MARKS[kind]: side == "open"})
        elif kind == "link":
            href = _checked_link(str(token.attrs.get("href", ""))) if side == "open" else None
            look = msgspec.structs.replace(look, href=href)
        elif token.type == "image":
            yield _picture(str(token.attrs.get("src", "")), token.content)
        elif token.type == "code_inline":
            yield msgspec.structs.replace(look, text=token.content, code=True)
        elif token.type in ("softbreak", "hardbreak"):
            yield msgspec.structs.replace(look, text="\n")
        elif token.content:
            yield msgspec.structs.replace(look, text=token.content)


def _joined(spans: list[Span]) -> Spans:
    """Neighbours that look alike as one."""
    made: list[Span] = []
    for span in spans:
        if made and msgspec.structs.replace(made[-1], text="") == msgspec.structs.replace(span, text=""):
            made[-1] = msgspec.structs.replace(span, text=made[-1].text + span.text)
        else:
            made.append(span)
    return tuple(made)


def _checked_link(href: str) -> str:
    if len(href) <= _LONGEST_LINK and (_OWN_PAGE.match(href) or _HTTPS.match(href)):
        return href
    raise UnsafeText(f"a link leads to https://… or to a page of our own (#/…): {href[:80]}")


def _picture(source: str, alt: str) -> Picture:
    found = _MEDIA.match(source)
    if found is None:
        raise UnsafeText(f"a picture is one that was uploaded (media:…): {source[:80]}")
    return Picture(found[1], alt[:120], f"/v1/media/{found[1]}", f"/v1/media/{found[1]}/small")


def pictures_of(blocks: Blocks) -> list[str]:
    """The pictures in a text, each once, in their order."""
    return list(dict.fromkeys(block.media_id for block in _flat(blocks) if isinstance(block, Picture)))


def plain(blocks: Blocks) -> str:
    """What a text says, without how it looks: a line for each heading, paragraph, row, and piece of code."""
    return "\n".join(line for block in _flat(blocks) for line in _lines(block))


def _flat(blocks: Blocks) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from _flat(block.blocks)
        elif isinstance(block, Listing):
            for item in block.items:
                yield from _flat(item)


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading() | Paragraph():
            yield _text(block.spans)
        case Code():
            yield block.text
        case Picture():
            if block.alt:
                yield block.alt
        case Table():
            for row in (block.head, *block.rows):
                yield " ".join(_text(cell) for cell in row)
        case _:
            pass


def _text(spans: Spans) -> str:
    return "".join(span.text for span in spans)
