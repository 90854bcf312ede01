"""Service cards and discount cards: what is bought once and used over time.

Words: a *product* is what is offered, under the SKU with which any till sells it; each change of it makes a new
*version*. A *pass* is the issued piece and keeps the version it was issued with; its *terms* are what that promises. A
*counted* pass is so many uses, a *timed* one so many days with at most so many uses a day, a *discount* card gives
better prices and more points for so many days. A *use* may be undone once.

Invariants: what a pass is good for lies in the ledger on ``('service', pass id)``, and what was paid for it and is not
earned yet on ``('service_value', pass id)``: they change only there. Each use earns its share, the shares add up to
what was paid whatever is used, undone and expired in between, and a pass of which nothing is left holds no value.
"""
