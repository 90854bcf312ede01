"""Gift cards: made in batches, worth something from their activation at a till, spent bit by bit by whoever holds them.

Words: a *product* is what is offered (its face, who may hold it); a *card* is one piece with a *number* and a *PIN*;
an *activation* loads it at a sale; a *charge* is what a passer-by pays with it; to *bind* it makes it a member's own,
which pays by the member's code, and no more by its PIN. A *bearer* card belongs to whoever shows it, a *named* one pays
only once it is bound, and a *bindable* one may be either.

Invariants: a card has books of its own in the ledger, under its id, and what it is worth lies there on the account
``('gift_card', '')`` and changes only there; binding moves nothing. It is loaded once (an activation that is undone
closes it, for its buyer may know the PIN), never holds less than nothing nor more than it was loaded with, and a refund
goes back to the card that paid. Books never expire: a card whose last day is over is refused until staff extend it. Of
a number and a PIN only keyed digests are kept, and the last 4 digits.
"""
