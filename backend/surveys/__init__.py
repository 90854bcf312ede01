"""Surveys: what the chain asks its members, what they answer, and what that is worth to it.

Words: a *survey* belongs to a *project*; what it asks is its *content* (pages of questions), of which each *version*
stays as it was published; its *terms* are who may answer, when, how many and what for. A member's *participation* says
how far they are and what they were given; an *answer* is what somebody said. Answers that staff enter for paper and
telephone carry their *medium* and who entered them.

Invariants: a member answers a survey once, where sales invite once in each *round*, and is rewarded once, for the
first. An answer counts towards every quota that it falls
under, and no quota is exceeded. What is stored was shown: the server walks the questions itself. A prize is drawn in
the transaction that stores the answer, and none is given more often than there are. An answer to an anonymous survey
has neither member nor hour, and nothing in the participation says which answer is whose.
"""
