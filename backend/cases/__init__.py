"""Feedback cases: what members and walk-in customers complain of, praise, ask, and what came of it.

Words: a *case* is one matter of one customer, told by phone, in a shop, in the mini-app or to customer service. A
*step* is anything that happened to it (opened, said, assigned, answered, confirmed, reopened, closed, noted …), by the
member, by somebody of the staff or by the clock. A *round* lasts from when it was opened, or reopened, to its answer,
which is due at ``due_at``; an overdue one becomes a *to-do* of its store's manager, and later of head office.

Invariants: every change is one step, and a case's version is the number of its steps; steps are never rewritten. States
go only along ``rules.MOVES``. Staff see their store's cases, head office all; a member only their own. A walk-in's name
and number are sealed, seen by whoever asks for them (which is a step), and forgotten some time after the end.
"""
