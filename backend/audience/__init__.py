"""Who is meant: a condition on members that letters, surveys, announcements and care share, and what it is judged by.

Words: an *audience* is a condition (levels, stores, buyers of an article, …), never a list that somebody made; whoever
meets it when it is asked is meant. Members who are not active are never meant. What a member *bought* is counted by
article: pieces, times and the last day, net of what came back.

Invariants: the counts follow from the sales' documents alone. However often, and in whatever order, a sale and its
refunds are told of, they are what its document says. The first counts everything from before there were any.
"""
