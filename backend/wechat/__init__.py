"""WeChat: login, phone numbers, messages, Pay v3 and message push. The only code that knows WeChat's wire formats.

Words: a *js_code* and a *phone code* are one-time vouchers of the mini-program; an *openid* is a member's name at one
mini-program; the *platform* is WeChat Pay (its keys sign answers and notifications), the *merchant* is the chain (its
key signs requests); a *notification* reports a payment or a refund; a *push* brings a customer's message or an event.

What holds here:

- Nothing from outside is believed before its signature is checked, and nothing is parsed before that either. The keys
  are those of a directory, read at start-up: an unknown serial is refused and never makes this process call anybody.
- What a notification moves is decided above: a domain registers a callback (``service.on_payment``), and WeChat hears
  "accepted" only after that callback returned, that is, after its commit. Callbacks are idempotent.
- No call is made inside a database transaction, every call has a time limit, and only calls that WeChat itself makes
  idempotent (by order or refund number) are repeated.
- Openids, phone numbers, codes, tokens and decrypted resources are in no log line and in no ``repr``.

``types``, ``errors`` and ``service`` are for the domains above; the rest is inside matter.
"""
