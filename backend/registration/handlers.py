"""Makes the changes of many members, and the approval they need, known wherever the domain is loaded."""

from .commands import batches, validity

__all__ = ["batches", "validity"]
