"""What members may ask of what is known about them: consents per purpose, an archive of it all, and erasure.

- A *purpose* is a row with versions of its text. A member's word to it is written down with who, when, which version
  and where, and never rewritten. Purposes of letters by a channel have their truth in ``messages``; here they are shown
  and set, not kept again.
- An *archive* is made by a job, list by list, from ``members.holding``; only its member can fetch it, for days.
- An *erasure* waits a while in which it can be withdrawn. Then one transaction ends the membership: value that was
  given up leaves through the ledger, logins end, the phone number is free. A job strips the rest, domain by domain.
- Whoever was here before is known by a keyed hash of the phone for a time, so that erasing brings no second welcome.
"""
