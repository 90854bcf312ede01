"""The contact card: who this is, at a glance, found by what somebody shows, says or calls from.

Words: a *look-up* finds a member by a code, a phone number, a member number or a WeChat id; the *card* is what it
answers with, made of *sections*; a *view* is how much of them the viewer sees: all of it, a manager's or a clerk's
part, or a guest's (a member of another store, who showed a code). A *look* is the row that says who looked at whom.

Invariants: a look-up spends nothing and changes nothing of the member's. No card is shown without its look. What a
viewer may not see is not read. A section that is late or fails is marked, and holds no other up.
"""
