"""Torture: clients by the dozen against a whole running system while things are killed, cut, stalled and forged.

Words: an *operation* is what one client does next, drawn from the seed and its number; a *fault* is something that goes
wrong at an operation's number; a *doubt* is a request that was refused after an earlier try went unanswered.

- ``schedule`` and ``shrink`` are pure: faults of a seed, as text, and the shortest that still fails.
- ``domains`` is the workload, **one file a domain**: to add a domain, add a file (see its docstring).
- ``world``, ``journal``, ``wire``, ``signing``: clients, each repeating its request until it is decided.
- ``oracle`` decides right and wrong: from answers and from SQL, with no rule of the program it judges.
- ``plant`` and ``harm`` reach into the system; ``runner`` puts it together; ``report`` prints.

The operations and the faults are the seed's; which of them meet is the machine's: a failure may need a second try.
"""
