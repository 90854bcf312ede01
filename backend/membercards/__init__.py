"""Member cards: kinds of cards, numbers that are made and handed out, and whose card is whose.

Words: a *type* says how its numbers look and what its cards carry; a *batch* is numbers made at once; an *issuer* is
who hands cards out (head office, a store, an agent), within a *quota*; a *move* takes a run of a batch to an issuer,
back, or out of the world. A *virtual* card is a number without plastic.

Invariants: a number is one card's for good, and nothing else that a till reads looks like it; a member has at most one
card in force, a card at most one member, ever; an issuer has taken no more than its quota; every state that a card was
in stands in its history. A card says who somebody is, no more: it pays nothing by itself, so nothing moves with it.
"""
