"""Refusals of the catalogue."""

from __future__ import annotations

from backend.kernel.errors import DomainError, Kind


class StillInUse(DomainError):
    """Something in the catalogue still names this."""

    code = "still_in_use"
    kind = Kind.CONFLICT


class ProductChanged(DomainError):
    """Somebody changed this product meanwhile; read it again."""

    code = "product_changed"
    kind = Kind.CONFLICT


class CatalogueConflict(DomainError):
    """This is taken: by another article or product, or changed at this moment."""

    code = "catalogue_conflict"
    kind = Kind.CONFLICT
