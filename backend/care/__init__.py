"""Care: what the chain does for a member when there is a reason to, and whether it helps.

Words: a *plan* says whom it is for, what its *trigger* is, how it is done and whether there is a *gift*. An *occasion*
is what the trigger found (this year's birthday, that purchase). A *task* is one member on one occasion: a letter goes
by itself, a call or a visit is a to-do of staff. Members who are *held out* get nothing, by chance, so that the others
can be compared with them: the plan's *effect*.

Invariants: a member has at most one task of a plan and occasion, however often the day is run and wherever a run was
cut short. A task's gift and letter are given in one transaction, once. A birthday gift is given once a member and year,
whichever plan it is of. Who is held out is drawn when the task is made, and never changed.
"""
