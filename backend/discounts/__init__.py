"""What stores and brands give at tills: percentages off, or so much off each piece, by rules that head office keeps.

Words: a *rule* holds for lines by store, brand, category, article, level, days and hours; its *priority* says which
rules compete for a line, and the best of those for the member wins; a *stackable* one comes before the level's
discount, any other stands in its place.

Invariants: nobody pays more because of a rule than by the level alone; a sale costs no read for them; without rules
prices are as they always were.
"""
