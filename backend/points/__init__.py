"""What points are earned by, handed on and put right: earning rules, transfers between members, adjustments.

Words: a *base rule* says how many points a line earns per ¥1; a *promotion* adds to what a base rule gave; the
*standard rule* is the chain's own (category rate × level multiplier × points per ¥1) and always applies; an *occasion*
is the member, store and time of a purchase; a *version* of a rule is what it said from one instant until another.

Invariants: of the base rules that apply to a line the one that gives most wins; a promotion gives nothing where no base
rule gave; where no rule lives, a purchase earns exactly what the standard rule gives; a purchase is judged by the
versions that lived when it happened; what each line earned, and by which version, stands in its document. Points that
go from one member to another keep their last days, and leave and arrive in one transaction. A row of a batch is posted
once.
"""
