"""Makes known who judges registrations, and what can be changed of many members."""

from .commands import applications, batches, imports, validity

__all__ = ["applications", "batches", "imports", "validity"]
