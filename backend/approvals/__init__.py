"""What one person of the staff asks for and another decides.

Words: a *kind* is something that needs a second person, declared by the domain that does it; an *approval* is one
request of a kind, with everything that is to be done (its *body*), who asked and who decided. It is *waiting* until it
is *approved*, *rejected*, *withdrawn* by who asked, or *expired*.

Invariants: nobody decides their own request, nor approves one of a login that they may hold, or of somebody who was
closed since; it is decided once; what was approved was applied, in the same transaction; what cannot be applied stays
waiting; a request never changes.
"""
