"""Benchmarks: the running server over HTTP, beside what its database can do by itself.

Both sides ask the same of the same database in turn: the server over HTTP by a process of its own, and pgbench with the
bare statements. Only the ratio of the two says something about another machine. ``settle`` looks at the sale alone and
closely, ``all`` at every path.

system      a running system: where it is and what it has used (started by ``backend.cli.running``)
population  who takes part, computed from a seed; ``load`` puts them into a database
paths       what can be asked, one module a domain: the place to add yours
requests    a request as bytes; ``generator`` sends them, ``runs`` starts it and takes stock
floor       pgbench; ``bare`` runs any path's statements with it, ``plans`` makes the plans the server would post
"""
