"""Suggestion boxes: what members tell the chain, under their name or truly without it, and what is answered.

Words: a *box* has a topic and *administrators*, who alone read what is in it; a *suggestion* is one conversation in it,
its first *message* the suggestion itself. A named one belongs to a member; an anonymous one to whoever has its
*receipt*, a secret code that is shown once. A *ticket* lets one write without saying who one is: the server signs it
for a member without seeing it (RFC 9474), so that it can be counted when it is given out and not be known again when
it is used.

Invariants: no row, event, log line or counter joins an anonymous suggestion to a member, a session, an address or an
instant; what is stored of it says the day. A ticket is good for one suggestion. Only a box's administrators read it.
"""
