"""What the chain tells its members: letters from templates, by the ways that a member takes them, each once.

Words: a *template* is a text with variables; a *built-in* is one that a domain brings along, and staff may put another
text in its place. A *letter* is what one member is told once; a *delivery* is that letter on one *channel* (the inbox
of the phone page, WeChat, SMS, e-mail, post). A *batch* sends a template to many. *Purpose* says why a letter is sent;
a *consent* is a member's word that a channel may be used for a purpose.

Invariants: a member has at most one letter of a template and ``once``. A letter that is not about the member's own
affair goes nowhere without consent, counted when it is sent, not when it was written. A delivery is marked and
committed before its channel is called, so that it is repeated only where the channel takes a repeat for the same. A
WeChat subscription is spent once: its count is never below zero.
"""
