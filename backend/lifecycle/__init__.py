"""Who is at which level, since when and until when; and where each member stands in a customer's life.

Words: a level's *rule* says what reaches it, over which *window*, for which *period* it is held, what keeps it and how
it is lost. A *programme* is the rules of all levels, from an instant on. A member's *standing* is what follows from the
programme and the member's *facts* (purchases, what came back of them, time). A *grant* is a level that somebody gave;
it never takes away what was reached. A *stage* is one of potential, new, returning, loyal, dormant and lost. A *run*
looks at many members, in steps, with progress.

Invariants: a standing is worked out anew from a *base* (a standing at an instant) and all facts since, so it does not
matter in which order facts are heard of, or how often. Levels go up with a purchase, down at the end of a period, and
within a period only because the purchase that brought them came back. Without a programme nothing is ever lost: levels
are reached by growth. Every change is kept.
"""
