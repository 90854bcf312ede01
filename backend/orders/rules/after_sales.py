"""What may become of an after-sales request, what it may ask for, and what it gives back. Pure.

Every piece of an order is in at most one request that lives or was fulfilled, so nothing is returned twice; what goes
back in money is capped again by the shares of the purchase itself (``sales.rules.refunds``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ..errors import AfterSaleConflict, AfterSaleUnavailable
from ..types import OrderState
from ..types.after import AfterSale, AfterSaleKind, AfterSaleState, AfterSaleStep, Fault

_K, _S, _T = AfterSaleKind, AfterSaleState, AfterSaleStep

_FIRST: dict[tuple[AfterSaleState, AfterSaleStep], AfterSaleState] = {
    (_S.REQUESTED, _T.APPROVE): _S.APPROVED,
    (_S.REQUESTED, _T.REJECT): _S.REJECTED,
    (_S.REQUESTED, _T.CANCEL): _S.CANCELLED,
}
_GOODS: dict[tuple[AfterSaleState, AfterSaleStep], AfterSaleState] = {
    (_S.APPROVED, _T.CANCEL): _S.CANCELLED,
    (_S.APPROVED, _T.SEND): _S.ON_THE_WAY,
    (_S.ON_THE_WAY, _T.SEND): _S.ON_THE_WAY,
    (_S.APPROVED, _T.RECEIVE): _S.RECEIVED,
    (_S.ON_THE_WAY, _T.RECEIVE): _S.RECEIVED,
    # Goods that never came, or came otherwise than was said: else such a request keeps its pieces, and its order open.
    (_S.APPROVED, _T.REJECT): _S.REJECTED,
    (_S.ON_THE_WAY, _T.REJECT): _S.REJECTED,
    (_S.RECEIVED, _T.REJECT): _S.REJECTED,
}
_MOVES: dict[AfterSaleKind, dict[tuple[AfterSaleState, AfterSaleStep], AfterSaleState]] = {
    _K.REFUND: _FIRST | {(_S.REQUESTED, _T.REFUND): _S.REFUNDED},
    _K.RETURN: _FIRST | _GOODS | {(_S.RECEIVED, _T.REFUND): _S.REFUNDED},
    _K.EXCHANGE: _FIRST | _GOODS | {(_S.RECEIVED, _T.EXCHANGE): _S.EXCHANGED},
}
# What only asks for money is approved by paying it.
del _MOVES[_K.REFUND][_S.REQUESTED, _T.APPROVE]

LIVING = frozenset({_S.REQUESTED, _S.APPROVED, _S.ON_THE_WAY, _S.RECEIVED})
HOLDING = LIVING | {_S.REFUNDED}
"""States in which a request keeps its pieces from any other; an exchanged piece may be exchanged again."""

_BEFORE = frozenset({OrderState.PAID, OrderState.READY_FOR_PICKUP})
_AFTER = frozenset({OrderState.SHIPPED, OrderState.RECEIVED})


def move(kind: AfterSaleKind, state: AfterSaleState, step: AfterSaleStep) -> AfterSaleState:
    """Where a request comes to by that step; ``AfterSaleConflict`` for a step that is not to be made from there."""
    found = _MOVES[kind].get((state, step))
    if found is None:
        raise AfterSaleConflict(extra={"state": str(state)})
    return found


def check_kind(kind: AfterSaleKind, state: OrderState) -> None:
    """Refuse what cannot be asked of an order that stands so: before the goods leave, only money can come back."""
    allowed = (
        frozenset({_K.REFUND}) if state in _BEFORE else frozenset(AfterSaleKind) if state in _AFTER else frozenset()
    )
    if kind not in allowed:
        raise AfterSaleUnavailable(extra={"status": str(state)})


def left(bought: Mapping[int, int], held: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Pieces by line that no request has; ``held`` are those of the requests in ``HOLDING`` states."""
    free = dict(bought)
    for pieces in held:
        for line_no, qty in pieces.items():
            free[line_no] = max(0, free.get(line_no, 0) - qty)
    return free


def given_back(requests: Iterable[AfterSale]) -> dict[int, int]:
    """Pieces by line that were given back before they left."""
    gone: Counter[int] = Counter()
    for one in requests:
        if one.state is _S.REFUNDED and not one.dispatched:
            gone.update(one.pieces)
    return dict(gone)


def exchanges(requests: Iterable[AfterSale]) -> list[str]:
    """The requests that other pieces were sent for, in the order given."""
    return [one.id for one in requests if one.state is _S.EXCHANGED]


def check_pieces(wanted: Mapping[int, int], free: Mapping[int, int]) -> None:
    """Refuse pieces that were not bought or that another request has."""
    if not wanted:
        raise AfterSaleUnavailable("name at least one piece")
    for line_no, qty in wanted.items():
        if not 0 < qty <= free.get(line_no, 0):
            raise AfterSaleUnavailable(
                f"line {line_no} has {free.get(line_no, 0)} pieces left", extra={"line_no": line_no}
            )


def freight_goes_back(*, dispatched: bool, all_back: bool, fault: Fault | None) -> bool:
    """Whether the freight is given back with the last goods: it was not earned yet, or staff say the shop is at fault.

    What nobody decided (None) costs the chain nothing, whatever the member said.
    """
    return all_back and (not dispatched or fault is Fault.SHOP)
