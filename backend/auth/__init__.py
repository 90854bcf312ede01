"""Who may call: members through WeChat, tills through signatures, staff through passwords.

Words: an *identity* is one WeChat account (openid) and may be bound to a member; a *session* is one login of it and
the family of its refresh tokens; a *device* holds the secret of a dynamic code and goes by random *handles*; a
*terminal* is a till with a secret of its own; *staff* have a role and, below head office, one store.

Invariants: a token names a session, and the session's row decides at every call; a dead refresh token ends its
session; a retired handle resolves for 30 days and makes codes for 60 s; secrets are stored sealed or hashed.
"""
