"""E-coupons: what is offered, what was issued, where it may be used, and who pays for it.

Words: a *template* is the offer, and each change of it makes a new *version*; a *coupon* is the issued piece and keeps
the version it was issued with; its *terms* are what the version promises. A coupon is *counted* (it is used once) or a
*value coupon* (it has a balance in fen and is used up bit by bit). *Amount* is what it takes off a sale.

Invariants: what a coupon is worth lies in the ledger, on the account ``('coupon', coupon id)``, and changes only there:
issued once, used at most once or to its balance, expired once. Rows of this domain say what the coupon is, never what
is left of it. A template never issues more than its total, nor more than its cap to one member, whoever asks at once.
"""
