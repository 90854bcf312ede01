"""PostgreSQL and Valkey out of Python wheels, run as child processes of ours: for the demo and the tests.

Words: a *data directory* holds one demo (both engines, its keys, its ``demo.json``); an *engine* is one server process;
the *run directory* holds their unix sockets, the only way in.

Invariants: one starter per data directory at a time (a lock); an engine ends when the process that started it ends,
however it ends; nothing is kept outside the data directory; sockets are reachable by the starter's user alone.
"""
