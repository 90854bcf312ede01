"""The codes that phones show at tills: each is good once, and a device's mark names the last one that was spent."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from ..signing import make_code
from ..world import Phone, Till
from . import Domain

if TYPE_CHECKING:
    from ..oracle import Books

REVOKED = 1 << 62
"""A device's last step once it is revoked."""

CODE = frozenset({"code_expired", "code_used", "code_invalid"})


class Codes(Domain):
    """Every step of a device is spent once: a refusal spends nothing, a success always."""

    order: ClassVar[int] = 30
    facts: ClassVar = {
        "device marks": "SELECT substr(name, 8), value FROM ledger_guard WHERE name LIKE 'device:%'",
    }

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.spent: dict[tuple[str, int], str] = {}
        self.last_spent: dict[str, int] = {}
        self.perhaps_spent: set[tuple[str, int]] = set()
        self.shown: deque[tuple[str, Phone, int, Till]] = deque(maxlen=500)

    def show(self, phone: Phone, step: int, till: Till) -> str:
        """The code that a phone shows at that till, from now on."""
        code = make_code(phone.handle, phone.secret, step)
        self.shown.append((code, phone, step, till))
        return code

    def spend(self, phone: Phone, step: int, by: str) -> None:
        """The code of that step was taken, for what ``by`` names."""
        self.last_spent[phone.id] = max(step, self.last_spent.get(phone.id, 0))
        before = self.spent.setdefault((phone.id, step), by)
        if before != by:
            self.world.blame(f"the code of step {step} of device {phone.id} was spent by {before} and by {by}")

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """A device's last spent step is the last one acknowledged."""
        marks = {row[0]: row[1] for row in books.facts["device marks"]}
        for device in self.last_spent.keys() - marks.keys():
            yield f"device {device} has no last spent step, acknowledged was {self.last_spent[device]}"
        for device, mark in marks.items():
            last = self.last_spent.get(device, 0)
            if mark not in (last, REVOKED) and (mark < last or (device, mark) not in self.perhaps_spent):
                yield f"the last spent step of device {device} is {mark}, acknowledged was {last}"
