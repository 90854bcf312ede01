"""Benchmarks: the running server over HTTP, beside what its database can do by itself.

Both sides of ``settle`` post the same sales to the same database in turn: the server is asked over HTTP by a process of
its own, and pgbench calls ``ledger_post`` directly. Only the ratio of the two says something about another machine.
"""
