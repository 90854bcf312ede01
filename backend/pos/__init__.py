"""The till: dynamic member codes, scan, quote, sale, tenders, confirmation on the phone, refunds, offline accruals.

Words: a *code* names a device of a member for one 15-second *step*; a *scan* spends it and gives a *scan token*; a
*sale* is paid by *tenders*; a sale above the password-free limits *waits* until the member approves it on the phone.

Invariants: a code or scan token buys at most one sale; what a sale takes, its refunds give back at most once, to the
same lots; a waiting sale reserves nothing. A sale is one plan: its document travels with its transfer.
"""
