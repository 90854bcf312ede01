"""How addresses look: whole to their owner and to whoever sends there, masked to everybody else."""

from __future__ import annotations

import msgspec

from ..rules import delivery
from ..schemas.delivery import AddressOut, ReceiverOut
from ..types import Address, Receiver


def receiver_out(receiver: Receiver, *, masked: bool = False) -> ReceiverOut:
    """A receiver, whole or masked."""
    shown = delivery.masked(receiver) if masked else receiver
    return ReceiverOut(**msgspec.structs.asdict(shown))


def address_out(address: Address, *, listed: bool = False) -> AddressOut:
    """An entry of the address book, whole, or as its list shows it."""
    shown = delivery.listed(address.receiver) if listed else address.receiver
    return AddressOut(id=address.id, is_default=address.is_default, **msgspec.structs.asdict(shown))
