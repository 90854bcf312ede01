"""The table of holdings in docs/privacy.md, made from what domains declare: ``python -m tests.docs.holdings_table``."""

from __future__ import annotations

import re
from pathlib import Path

from backend import worker
from backend.members.holding import Table, all_holdings

PAGE = Path(__file__).parents[2] / "docs" / "privacy.md"
_BETWEEN = re.compile(
    r"(?<=<!-- holdings:begin \(made by `python -m tests\.docs\.holdings_table`\) -->\n).*?(?=<!-- holdings:end -->)",
    re.DOTALL,
)


def render() -> str:
    """The table as Markdown: what is kept, table by table; then what is deleted."""
    worker.load()
    tables = [table for holding in sorted(all_holdings(), key=lambda one: one.name) for table in holding.tables]
    lines = ["| table | in the archive | of its rows is erased | why the rest stays |", "| --- | --- | --- | --- |"]
    lines += [_line(table) for table in tables if not table.erased.deleted]
    gone = ", ".join(f"`{table.name}`" for table in sorted(tables, key=lambda one: one.name) if table.erased.deleted)
    return "\n".join(lines) + f"\n\nDeleted whole: {gone}.\n"


def _line(table: Table) -> str:
    shown = table.shown.title if table.shown else "–"
    erased = ", ".join(f"`{column}`" for column in table.erased.strips) or "–"
    return f"| `{table.name}` | {shown} | {erased} | {table.erased.why} |"


def in_page() -> str:
    """The table as the page has it now."""
    (found,) = _BETWEEN.findall(PAGE.read_text(encoding="utf-8"))
    return str(found)


def write() -> None:
    """Put the table into the page."""
    PAGE.write_text(_BETWEEN.sub(lambda _: render(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
