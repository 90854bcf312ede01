"""Refusals of orders. A refused order moved nothing."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class NotOnSale(DomainError):
    """The mall does not sell this at that store now."""

    code = "not_on_sale"
    kind = Kind.CONFLICT


class PriceChanged(DomainError):
    """The order costs something else now; look at the new quote."""

    code = "price_changed"
    kind = Kind.CONFLICT


class CartFull(DomainError):
    """The cart holds as many articles as it can."""

    code = "cart_full"
    kind = Kind.CONFLICT


class AddressOutOfRange(DomainError):
    """The store does not send to this address."""

    code = "address_out_of_range"
    kind = Kind.CONFLICT


class PromotionsFull(DomainError):
    """As many promotions run, or are to come, as prices can heed; end one first."""

    code = "promotions_full"
    kind = Kind.CONFLICT


class DeliveryRulesFull(DomainError):
    """There are as many delivery rules as can be; change one that is not needed any more."""

    code = "delivery_rules_full"
    kind = Kind.CONFLICT


class AddressBookFull(DomainError):
    """The address book holds as many addresses as it can."""

    code = "address_book_full"
    kind = Kind.CONFLICT


class SpotInvalid(DomainError):
    """The code is of no table or shelf of that store; scan it again, or ask for help."""

    code = "spot_invalid"
    kind = Kind.INVALID


class OrderNotPayable(DomainError):
    """The order does not wait for a payment any more."""

    code = "order_not_payable"
    kind = Kind.CONFLICT


class OrderNotCancellable(DomainError):
    """The order is too far on to be cancelled; ask for a return."""

    code = "order_not_cancellable"
    kind = Kind.CONFLICT


class OrderNotSendable(DomainError):
    """The order is not one to send now: not paid, sent already, or fetched at the store; see ``status``."""

    code = "order_not_sendable"
    kind = Kind.CONFLICT


class ShipmentInvalid(DomainError):
    """The parcel holds what is not left to send."""

    code = "shipment_invalid"
    kind = Kind.CONFLICT


class OrderNotReceivable(DomainError):
    """The order is not on its way; see ``status``."""

    code = "order_not_receivable"
    kind = Kind.CONFLICT


class PickupCodeInvalid(DomainError):
    """No order waits in this store under this code; ask the member to show it again."""

    code = "pickup_code_invalid"
    kind = Kind.INVALID


class IdentityMismatch(DomainError):
    """These are not the last digits of the member's phone number; hand nothing over."""

    code = "identity_mismatch"
    kind = Kind.INVALID


class PickupDone(DomainError):
    """The order was handed over already; see ``at``."""

    code = "pickup_done"
    kind = Kind.CONFLICT


class AfterSaleOpen(DomainError):
    """A request about this order waits for an answer; decide it first."""

    code = "after_sale_open"
    kind = Kind.CONFLICT


class AfterSaleUnavailable(DomainError):
    """This cannot be asked of the order as it stands, or not of so many pieces."""

    code = "after_sale_unavailable"
    kind = Kind.CONFLICT


class AfterSaleConflict(DomainError):
    """The request has moved on; see ``state``."""

    code = "after_sale_conflict"
    kind = Kind.CONFLICT


class RefundLimitReached(DomainError):
    """WeChat takes no more refunds of this payment; give the rest back in another way."""

    code = "refund_limit_reached"
    kind = Kind.CONFLICT


class ReviewUnavailable(DomainError):
    """Only what was received is reviewed, each line once."""

    code = "review_unavailable"
    kind = Kind.CONFLICT


class InvoiceUnavailable(DomainError):
    """An invoice can be asked for once the goods were received, while nothing else was asked."""

    code = "invoice_unavailable"
    kind = Kind.CONFLICT
