"""Reads of shifts (public)."""

from .reports import MOST_ROWS, list_rows
from .shifts import (
    MOST_MOVEMENTS,
    ShiftFilter,
    figures_of,
    find_open,
    find_report,
    find_shift,
    list_entries,
    list_movements,
    list_reports,
    list_shifts,
    list_steps,
    shift_of,
    sums_of,
)

__all__ = [
    "MOST_MOVEMENTS",
    "MOST_ROWS",
    "ShiftFilter",
    "figures_of",
    "find_open",
    "find_report",
    "find_shift",
    "list_entries",
    "list_movements",
    "list_reports",
    "list_rows",
    "list_shifts",
    "list_steps",
    "shift_of",
    "sums_of",
]
