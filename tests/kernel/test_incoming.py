"""Workbooks are bounded before anything in them is unpacked."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from backend.kernel import incoming


def archive(*sizes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        for number, size in enumerate(sizes):
            parts.writestr(f"xl/{number}.xml", b"0" * size)
    return out.getvalue()


@pytest.mark.parametrize("sizes", [(65 << 20,), (33 << 20, 33 << 20), (1,) * 201])
def test_a_workbook_that_unpacks_to_too_much_is_not_opened(monkeypatch, sizes):
    monkeypatch.setattr(openpyxl, "load_workbook", lambda *_, **__: pytest.fail("was opened"))

    with pytest.raises(incoming.NotATable, match="unpacks to more"):
        incoming.read_xlsx(archive(*sizes))


def test_a_part_that_lies_about_its_size_is_read_no_further_than_it_says():
    honest = archive(1 << 20)
    size = (1 << 20).to_bytes(4, "little")
    lying = honest.replace(size, (10).to_bytes(4, "little"))

    assert lying != honest
    with pytest.raises(incoming.NotATable):
        incoming.read_xlsx(lying)
