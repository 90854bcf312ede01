"""Two members turn out to be one person: the *source* is merged into the *target*, once and for good.

Words: a *candidate* is a pair that may be one person; a *merge* is what was done; *carrying* is what moves value from
the source's books to the target's; what comes to the source's books afterwards (a refund of an old sale, a payment that
was under way) is *passed on*.

Invariants: one person asks and another approves; a merge is one transaction, in which every open lot of the source
becomes a lot of the target with the same part, source, last day and turn, and the house's clearing accounts are zero
over both books; the source's documents, entries and hashes stay as they are; nothing lies on the books of a merged
member for longer than the relay takes.
"""
