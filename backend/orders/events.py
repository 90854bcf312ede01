"""What becomes of orders, as facts."""

from __future__ import annotations

from backend.kernel.events import Event


class OrderSent(Event, frozen=True, kw_only=True):
    """All of an order is on its way, or waits at its store (``ready``)."""

    order_id: str
    store_id: str
    ready: bool


class OrderReceived(Event, frozen=True, kw_only=True):
    """The goods are with the member; ``by`` says who told: member, till, staff, clock or wechat."""

    order_id: str
    store_id: str
    by: str


class OrderCompleted(Event, frozen=True, kw_only=True):
    """The time in which something can be asked of the order is over."""

    order_id: str
    store_id: str


class AfterSaleMoved(Event, frozen=True, kw_only=True):
    """An after-sales request came to another state."""

    after_sale_id: str
    order_id: str
    store_id: str
    state: str
