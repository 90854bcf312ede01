"""Who the members are: registration, profile, level, PIN, consents; and the calls of one's own phone.

Words: *growth* is what a member's completed sales add up to and what levels are reached by; a *PIN* approves a sale
that waits; the *member number* is what a person can read out, the *id* what machines use.

Invariants: one phone number is one member; a member's status here, the standing of the identities and the ledger's flag
change in one transaction; wrong PINs are counted whatever becomes of the sale.
"""
