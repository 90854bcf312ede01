"""What every domain stands on and that knows none of them.

Configuration, database, clock, ids, money, errors, typed HTTP routes, events, jobs, logging, metrics.
A module here may import other kernel modules and libraries, nothing else of ``backend``.
"""
