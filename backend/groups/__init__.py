"""Key accounts and group accounts: what a chain agrees with one member, or with an organisation and its people.

Words: a *group* is an organisation with a number, a contact, and a level or a discount that its *sub-members* have
while they belong to it; a sub-member is its *owner*, a *manager* or a *member*. A *key account* is a member whom
somebody of the staff looks after, with a discount that is the least, and a level that may be held as it is.

Invariants: a member belongs to one group at most, a group has one owner at most and no more members than agreed. What a
member gets of a group or an agreement is in their row, where prices are read, from the transaction on that agrees it to
the one that ends it. What is bought counts for the group that its buyer belonged to then, less what comes back of it.
"""
