"""What gifts register by being imported: their letters, and whose promises of stock are theirs."""

from __future__ import annotations

from . import (
    audit,  # noqa: F401 - tells stock which redemptions wait
    letters,  # noqa: F401 - their templates
)
