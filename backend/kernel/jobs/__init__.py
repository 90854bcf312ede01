"""Background work: what a command leaves for later, and what the clock asks for. procrastinate runs it, in the worker.

A domain's ``jobs.py`` declares with ``task`` and ``every``; commands enqueue with ``defer`` on their own transaction.
This package imports nothing of procrastinate: a server process only inserts a row. Jobs run at least once: a worker
that dies half-way leaves its job to be run again, so a job is idempotent, and takes ids, never personal data.
"""

from .queue import defer, list_failed
from .registry import every, task

__all__ = ["defer", "every", "list_failed", "task"]
