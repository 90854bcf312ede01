"""What a purchase is, at a till or online: its prices, tenders, points and refunds.

No table of its own, and pure but for one read, what a refund is planned with, and one question: whether a member
confirms what they spend.

Words: a *line* is what is bought; a *tender* is how part of it is paid; a purchase's *body* is what its document keeps
as it was made, its *progress* what became of it since.

Invariants: tenders add up to what is payable; shares of a refund are cumulative, so the last one takes the remainder,
and no line, tender or lot gives back more than it gave.
"""
