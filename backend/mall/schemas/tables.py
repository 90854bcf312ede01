"""Tables of the catalogue, and imports of large ones."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from backend.kernel.http import Body


class ImportQuery(Body):
    """``dry_run`` looks and says what is wrong, and changes nothing."""

    dry_run: bool = False


class RowErrorOut(msgspec.Struct):
    """What is wrong with a cell: the row as the table numbers it (1 is the heading), and the column."""

    row: int
    field: str
    message: str


class ImportOut(msgspec.Struct):
    """What the table says: how many products and articles are new and how many were there; ``errors`` of a dry run."""

    rows: int
    products_new: int
    products_changed: int
    articles_new: int
    articles_changed: int
    errors: list[RowErrorOut]


class ImportsQuery(Body):
    """What the file is, and what becomes of it where something in it is wrong.

    ``on_error``: ``refuse`` changes nothing then; ``skip`` leaves out each product of which a row is wrong, and writes
    the rest.
    """

    kind: Literal["csv", "xlsx"] = "csv"
    on_error: Literal["refuse", "skip"] = "refuse"


class ImportJobOut(msgspec.Struct, kw_only=True):
    """How far an import is; ``state`` is ``waiting``, ``reading``, ``writing``, ``done`` or ``refused``.

    ``rows`` is known once the file has been read; ``rows_done`` of them were looked at, ``rows_skipped`` left out. The
    first hundred ``errors`` are here, all of them (ten thousand at most) in the CSV of that name.
    """

    id: str
    kind: str
    on_error: str
    state: str
    rows: int
    rows_done: int
    rows_skipped: int
    products_new: int
    products_changed: int
    articles_new: int
    articles_changed: int
    errors_total: int
    errors: list[RowErrorOut]
    staff_id: str
    created_at: datetime
    ended_at: datetime | None


class ImportJobsOut(msgspec.Struct):
    """The last fifty imports, newest first, without their errors."""

    items: list[ImportJobOut]
