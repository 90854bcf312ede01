"""Texts in cells of CSV and XLSX files: never a formula, whoever wrote them."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_IGNORED = " \u00a0\u3000\ufeff\u200b"


def text_cell(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula; for every exported text.

    Spreadsheets drop blanks before they look, and take the full-width signs of a Chinese keyboard for the plain ones.
    Numbers are exported as numbers and do not come here. Source: OWASP, CSV Injection.
    """
    return f"'{text}" if text.lstrip(_IGNORED).startswith(_FORMULA) else text
