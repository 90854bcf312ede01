"""What may become of a document, who approves it, how it is numbered: pure."""

from __future__ import annotations

from backend.auth.types import Permission, StaffCaller

from .errors import ApprovalRefused, DocumentConflict
from .types import Document, DocumentKind, DocumentLine, DocumentState

_D, _S = DocumentKind, DocumentState

PREFIXES = {
    _D.PURCHASE_ORDER: "PO",
    _D.RECEIPT: "GR",
    _D.PURCHASE_RETURN: "PR",
    _D.WHOLESALE: "WS",
    _D.STOCKTAKE: "ST",
    _D.TRANSFER: "TR",
}

_FROM: dict[str, frozenset[DocumentState]] = {
    "edit": frozenset({_S.DRAFT}),
    "submit": frozenset({_S.DRAFT}),
    "reject": frozenset({_S.SUBMITTED}),
    "approve": frozenset({_S.SUBMITTED}),
    "post": frozenset({_S.APPROVED}),
    "ship": frozenset({_S.DRAFT}),
    "count": frozenset({_S.DRAFT}),
    "receive": frozenset({_S.APPROVED, _S.SHIPPED}),
    "close": frozenset({_S.APPROVED}),
    "cancel": frozenset({_S.DRAFT, _S.SUBMITTED, _S.APPROVED}),
}
_KINDS: dict[str, frozenset[DocumentKind]] = {
    "edit": frozenset(set(_D) - {_D.STOCKTAKE}),
    "count": frozenset({_D.STOCKTAKE}),
    "submit": frozenset(set(_D) - {_D.TRANSFER}),
    "post": frozenset({_D.RECEIPT, _D.PURCHASE_RETURN, _D.WHOLESALE, _D.STOCKTAKE}),
    "ship": frozenset({_D.TRANSFER}),
    "receive": frozenset({_D.PURCHASE_ORDER, _D.TRANSFER}),
    "close": frozenset({_D.PURCHASE_ORDER}),
}
"""What only these kinds know."""


def number(kind: DocumentKind, place_id: str, year: int, count: int) -> str:
    """What a document is called on paper: ``PO-S001-2026-000123``, without gaps by kind, place and year."""
    return f"{PREFIXES[kind]}-{place_id}-{year}-{count:06d}"


def check(document: Document, action: str) -> None:
    """``DocumentConflict`` where the document is in no state for that, or of no kind for it."""
    if document.state not in _FROM[action] or document.kind not in _KINDS.get(action, {document.kind}):
        raise DocumentConflict(f"a {document.kind} that is {document.state} cannot {action}")
    if document.kind is _D.TRANSFER and document.state is _S.SUBMITTED and action != "approve":
        raise DocumentConflict(f"a transfer that has come cannot {action}")
    if action == "receive" and (document.kind is _D.TRANSFER) is not (document.state is _S.SHIPPED):
        raise DocumentConflict(f"a {document.kind} that is {document.state} cannot receive")
    if action == "cancel" and any(line.done_qty for line in document.lines):
        raise DocumentConflict("some of it has come: close it instead")


def check_approver(
    document: Document, caller: StaffCaller, limit_fen: int, writers: frozenset[int], *, leaving_fen: int = 0
) -> None:
    """``ApprovalRefused`` where a document above the limit is not approved by a second person of head office.

    ``leaving_fen`` is what goods that it sends out of the house cost: a price of nothing makes them worth no less.
    ``writers`` are all who entered, edited, counted, sent or received: what one of them said, somebody else approves.
    """
    worth_fen = lost_fen(document) if document.kind is _D.TRANSFER else document.total_fen
    may_alone = caller.may(Permission.STOCK_DECIDE_LARGE) and caller.staff_id not in writers
    if max(worth_fen, leaving_fen) > limit_fen and not may_alone:
        raise ApprovalRefused


def amount_fen(document_kind: DocumentKind, lines: tuple[DocumentLine, ...]) -> int:
    """What a document is about, in fen; of a count what its differences are worth, either way."""
    if document_kind is _D.STOCKTAKE:
        return sum(abs(line.qty - (line.book_qty or 0)) * line.unit_fen for line in lines)
    return sum(line.amount_fen for line in lines)


def came_fen(line: DocumentLine, qty: int) -> int:
    """What so many pieces of a transfer's line cost: a part of them takes its part, rounded down; all take all."""
    return (line.cost_fen or 0) * qty // line.qty


def lost_fen(transfer: Document) -> int:
    """What that cost of a transfer which did not come."""
    return sum((line.cost_fen or 0) - came_fen(line, line.done_qty) for line in transfer.lines)
