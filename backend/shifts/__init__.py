"""Cashier shifts: who had which till when, what it should hold, what was counted, and who answered for the difference.

Words: a *shift* is opened at a terminal by a cashier with a *float*; an *entry* is one sale, refund, recharge or gift
card of that till; a *movement* pays cash in or out; an *X report* is a look, a *Z report* closes the shift for good;
*outside* is what the till took from people who are no members, which only the till knows.

Invariants: of a terminal one shift is open; every entry is in exactly one Z; X and Z reports are numbered by terminal
without a gap and never rewritten; a shift costs a sale nothing, entries follow the sales' events.
"""
