"""No exported text is a formula."""

from __future__ import annotations

import pytest

from backend.kernel.cells import text_cell


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "=cmd|' /C calc'!A0",
        '=HYPERLINK("http://x","y")',
        "+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u3000=1",
        "\ufeff=1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
    ],
)
def test_what_a_spreadsheet_would_run_becomes_text(text: str) -> None:
    assert text_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "王小明", "a=b", "1 + 1", "'=1", "x@y.cn", "13900000000"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert text_cell(text) == text
