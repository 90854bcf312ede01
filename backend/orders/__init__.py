"""The mall's orders: carts, quotes, placing and paying, and what becomes of an order.

Words: a *checkout* is what one request buys; it makes one *order* for each store in it. The *quote* says what it would
cost and why, step by step. An order is *placed* when its document is in the ledger and its goods are taken or promised.

Invariants: no price comes from a phone: what it says it saw is compared with what is priced now. An order, the value
that pays it and the goods stand or fall together, in one transaction. What an order took goes back at most once, to the
very lots, coupons and shelves.
"""
