"""States of what a till does."""

from __future__ import annotations

from enum import StrEnum


class SaleStatus(StrEnum):
    """The life of a sale."""

    AWAITING = "awaiting_confirmation"
    COMPLETED = "completed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    PARTLY_REFUNDED = "partly_refunded"
    REFUNDED = "refunded"
