"""A manager lets a till do what its cashier may not: a special discount, a reversal; by the code on their own phone.

Words: a *limit* says how much somebody with a role may authorise, in one sale and in a day; the limit of nobody (an
empty role) is what a cashier may give alone. A *grant* is one authorisation: who, where, for what, how much, why.

Invariants: a code authorises once, in the transaction that does what it is for; what somebody gave on a day never
exceeds their role's limit, which their own books count; nobody authorises at another store, or for themselves; grants
are never rewritten.
"""
