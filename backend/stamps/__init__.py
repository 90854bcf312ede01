"""Campaign cards: stamps that a member collects by buying, coming or doing things, and the reward of a full card.

Words: a *campaign* is what the chain announces, and never changes once it has begun; a member's *card* in it is made by
the first *stamp*; a card is *full* with ``goal`` stamps, which then become one *reward* (a coupon of each template that
the campaign names). A *source* is what a stamp was given for: a sale, a day, a task.

Invariants: stamps lie in the ledger, on the account ``('stamps', campaign id)`` in uses, and change only there. Given =
held + taken back + turned into rewards + expired. A refund takes back what the sale no longer deserves; what became a
reward meanwhile is *owed*, and the next stamps pay it. A reward is issued in the transaction that takes its stamps.
"""
