"""What announcements and the handbook read alike."""

from __future__ import annotations

import msgspec

from backend.kernel.changes import Changes

from ..types import Blocks

changes = Changes("notice_change", "subject_id")
"""What staff did to an announcement or a chapter."""

blocks_of = msgspec.json.Decoder(Blocks).decode
names_of = msgspec.json.Decoder(tuple[str, ...]).decode
