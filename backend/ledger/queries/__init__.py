"""Reads of the books. All of them are by member, except the homes of keys and what is due."""

from .documents import (
    find_document,
    find_documents,
    find_documents_of,
    list_documents,
    list_documents_after,
    list_documents_before,
    list_due,
)
from .holdings import HOLDINGS_OF, LIST_REFS, MOST_REFS, find_refs, list_refs
from .keys import find_home, find_known, find_own_key
from .lots import (
    BEGINNING,
    Cursor,
    find_moves,
    list_expired_lots,
    list_expiring,
    list_lots,
    list_lots_of,
    list_mature_lots,
    list_open_lots,
    open_lots_in,
)
from .snapshots import SNAPSHOT, SNAPSHOTS, balance_in, get_balances, get_snapshot, guard_values, snapshot_of
from .statements import STATEMENT, has_homeless_entries, list_house_totals, list_psp_documents, list_statement

__all__ = [
    "BEGINNING",
    "HOLDINGS_OF",
    "LIST_REFS",
    "MOST_REFS",
    "SNAPSHOT",
    "SNAPSHOTS",
    "STATEMENT",
    "Cursor",
    "balance_in",
    "find_document",
    "find_documents",
    "find_documents_of",
    "find_home",
    "find_known",
    "find_moves",
    "find_own_key",
    "find_refs",
    "get_balances",
    "get_snapshot",
    "guard_values",
    "has_homeless_entries",
    "list_documents",
    "list_documents_after",
    "list_documents_before",
    "list_due",
    "list_expired_lots",
    "list_expiring",
    "list_house_totals",
    "list_lots",
    "list_lots_of",
    "list_mature_lots",
    "list_open_lots",
    "list_psp_documents",
    "list_refs",
    "list_statement",
    "open_lots_in",
    "snapshot_of",
]
