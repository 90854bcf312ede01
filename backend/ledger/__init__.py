"""The books: everything of worth is posted here, through one function, and nowhere else.

Words: an *account* (member, kind, ref) holds a balance; a *transfer* is a balanced set of *entries* (one signed line
each); a *lot* is credit of one source that ages; a *plan* is a transfer to be, as data; a *document* is what the
transfer was for (a sale, a recharge).

Read ``docs/ledger.md`` for the plan's fields and ``sql/10_post.sql`` for the function.

Invariants: no balance is negative; each unit sums to zero over a transfer; history is immutable; every plan has a key
and is posted once; a refused plan changes nothing. ``audit`` proves them from the rows alone.
"""
