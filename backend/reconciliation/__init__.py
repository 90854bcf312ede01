"""Whether the money is where the books say: WeChat's daily bill against ours, and what stores owe each other.

Words: a *bill* is what WeChat took and gave back for the chain on a day of Beijing's. An *item* is one payment or one
refund, by its number there; it has two sides, *theirs* (a line of a bill) and *ours* (what our documents say). Where
the sides do not agree there is a *difference*, which somebody looks into and resolves, or which goes by itself when the
other side turns up.

A member recharges at one store and spends at another: the first has the money, the second gave the goods. *Clearing* is
what they owe each other for it, counted from the lots that purchases took and refunds gave back; a *settlement* is the
clearing of a range of days, fixed.

Invariants: nothing here moves value. Items are matched by number, never by time, so a day is judged again as often as
one likes, with the same outcome. What was resolved stays resolved while both sides stay as they were.
"""
