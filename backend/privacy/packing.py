"""The file of an archive: a ZIP with a page to read, and every list as CSV and JSON. Nothing of it is held in memory.

Lists of a page become readable by ``Shown``; JSON keeps the columns' own names.
"""

from __future__ import annotations

import asyncio
import csv
import html
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any

import msgspec

from backend.kernel.cells import text_cell
from backend.members.holding import Holding, Shown, Table

PIECE_BYTES = 256 * 1024
IN_MEMORY = 4 * 1024 * 1024
READABLE_ROWS = 200
"""Rows of a list that the page shows; the rest is in the list's own file."""

PAGE = "概览.html"
_STYLE = (
    "body{font:16px/1.6 sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%;font-size:14px;margin:.5rem 0 2rem}"
    "th,td{border:1px solid #ddd;padding:.3rem .5rem;text-align:left;vertical-align:top;word-break:break-word}"
    "th{background:#f6f7f8}h2{margin-top:2.5rem}p{color:#6b7280}"
)


class Part(msgspec.Struct, frozen=True):
    """A page of rows as JSON, or a picture that has a ``name``."""

    name: str | None
    rows: int
    content: bytes


Parts = Callable[[str], AsyncIterator[Part]]
"""The parts of a list, by its table."""


def scratch() -> IO[bytes]:
    """A file that nobody else sees and that is gone when it is closed; a small one stays in memory."""
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """What was written, in pieces."""
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        yield piece


async def write(
    file: IO[bytes], lists: Sequence[tuple[Holding, Table]], parts: Parts, *, asked_at: datetime, chain: str
) -> None:
    """Write the archive; a list without rows has no file."""
    page: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for holding, table in lists:
            assert table.shown is not None
            count = await _write_list(archive, f"{holding.title}/{table.shown.title}", table, parts, page)
            if not count:
                continue
        text = _page(chain, asked_at, page)
        await asyncio.to_thread(archive.writestr, PAGE, text.encode())


async def _write_list(archive: zipfile.ZipFile, path: str, table: Table, parts: Parts, page: list[str]) -> int:
    """Write a list's CSV, its JSON and pictures, in two readings: a ZIP has one file open at a time."""
    look = table.shown
    assert look is not None
    count, first = 0, list[dict[str, Any]]()
    sheet: IO[bytes] | None = None
    async for part in parts(table.name):
        if part.name is not None:
            continue
        rows = msgspec.json.decode(part.content, type=list[dict[str, Any]])
        if sheet is None:
            sheet = archive.open(f"数据/{path}.csv", "w", force_zip64=True)
            sheet.write(("\ufeff" + _csv([[*look.columns.values()]])).encode())
        await asyncio.to_thread(sheet.write, _csv(_cells(look, row) for row in rows).encode())
        count += len(rows)
        first += rows[: READABLE_ROWS - len(first)]
    if sheet is None:
        return 0
    sheet.close()
    await _write_json(archive, path, table, parts)
    page.append(_table(path, look, first, count))
    return count


async def _write_json(archive: zipfile.ZipFile, path: str, table: Table, parts: Parts) -> None:
    pictures: list[str] = []
    with archive.open(f"数据/{path}.json", "w", force_zip64=True) as entry:
        before = b"["
        async for part in parts(table.name):
            if part.name is not None:
                pictures.append(part.name)
                continue
            rows = part.content[1:-1]
            await asyncio.to_thread(entry.write, before + rows)
            before = b",\n"
        entry.write(b"]")
    if pictures:
        async for part in parts(table.name):
            if part.name is not None:
                await asyncio.to_thread(archive.writestr, f"图片/{part.name}", part.content, zipfile.ZIP_STORED)


def _cells(look: Shown, row: dict[str, Any]) -> list[str | int | None]:
    return [_cell(row[column]) for column in look.columns]


def _cell(value: Any) -> str | int | None:
    if isinstance(value, bool):
        return "是" if value else "否"
    if value is None or isinstance(value, int):
        return value
    return text_cell(_said(value))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return "" if value is None else str(value)


def _csv(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def _table(path: str, look: Shown, rows: list[dict[str, Any]], count: int) -> str:
    heading = "".join(f"<th>{html.escape(title)}</th>" for title in look.columns.values())
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_said(row[column]))}</td>" for column in look.columns) + "</tr>"
        for row in rows
    )
    more = f"<p>此处列出前 {len(rows)} 行，全部在“数据/{html.escape(path)}.csv”。</p>" if count > len(rows) else ""
    return (
        f"<h2>{html.escape(path.replace('/', ' · '))}（{count}）</h2>{more}"
        f"<table><thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table>"
    )


def _page(chain: str, asked_at: datetime, tables: Sequence[str]) -> str:
    said = (
        f"<p>{html.escape(chain)}保存的关于您的全部数据，截至 {asked_at:%Y-%m-%d %H:%M} UTC。"
        "金额单位为分。每个列表另有 CSV（可用表格软件打开）和 JSON 文件，图片在“图片”文件夹。</p>"
    )
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>个人数据概览</title>'
        f"<style>{_STYLE}</style></head><body><h1>个人数据概览</h1>{said}{''.join(tables)}</body></html>"
    )
