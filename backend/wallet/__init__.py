"""Stored value and points as members know them: recharge offers, recharges and their payment, the wallet, statements.

Words: an *offer* is "pay X, get bonus Y and points Z"; a *recharge* is an order of a member at WeChat Pay, kept as a
document of the ledger; *principal* is what was paid in, *bonus* what was given on top; a *late* payment arrives after
its order was closed here.

Invariants: a recharge is credited once and with what WeChat says was paid for exactly that order, or it is given back
to the payer; no call to WeChat is made while a transaction is open; the same recharge is always the same order there.
"""
