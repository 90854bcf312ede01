"""What happens to many members at once is known wherever it is asked for."""

from .commands import bulk

__all__ = ["bulk"]
