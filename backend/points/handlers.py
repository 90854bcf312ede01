"""What approvals of this domain do; importing this module registers them, and the letters of transfers."""

from __future__ import annotations

from .commands import adjustments, batches, transfers  # noqa: F401 - their kinds and templates
