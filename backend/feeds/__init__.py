"""What other systems of the chain are told of its members: a numbered list of changes, and webhooks that carry it.

Words: a *subscriber* is another system of the chain (an MIS, a data warehouse, a newsletter): a key to ask with, the
fields it may see, perhaps an address that is called. An *entry* is one change of one member, by whom and when; entries
are *numbered* in the order in which they were committed, without gaps. A *delivery* is one call of a subscriber's
address with the next entries.

Invariants: a number, once given, stays; whoever has read up to a number has seen all that is below it. A subscriber
sees the fields that it was given and no others, whether it asks or is called. Entries hold no personal data: what was
changed is read from the members' own log, so what was erased there is gone here. Deliveries are at least once, in
order; one that fails holds up only its subscriber.
"""
