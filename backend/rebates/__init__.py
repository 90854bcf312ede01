"""Rebates (返利): what a share of a member's purchases comes to in a period, told in a statement and paid as a tender.

Words: a *scheme* promises a share of net sales for each *period* (month, quarter, year); its *terms* come in versions.
A *purchase* and a *return* are facts, written down once. What they come to under the schemes of a period is worked out
from them anew each time, by *parts*: one for each scheme. A *run* does it for all members of a period and leaves a
*statement* each; what reached a closed period later is a *correction* in the next statement. A *piece* is how much of a
scheme a store bears; what cannot be paid yet is *carried* to the next statement, by pieces.

Invariants: a statement is never changed once its run is closed. Parts, corrections and what was carried in are what it
pays and what it carries on. Each statement is paid once, by a document of its own in the books. No balance is ever
lowered: who was given too much owes it to the next statement. The store of the purchase bears the cost.
"""
