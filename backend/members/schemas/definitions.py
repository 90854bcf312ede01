"""Bodies and answers of calls about attributes and what members may change."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.kernel.http import Body

from ..types import Attribute, AttributeType, Bounds, Option, ProfileField, Reach
from .profile import AttributeName, Name

Sort = Annotated[int, Meta(ge=0, le=9999)]
PermissionCode = Annotated[str, Meta(pattern=r"^[a-z_]{1,30}\.[a-z_]{1,30}$(?!\n)")]
OptionCode = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}$(?!\n)")]
Amount = Annotated[float, Meta(ge=-1e15, le=1e15)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class OptionBody(Body, frozen=True):
    """A value to choose from; ``closed``: who has it keeps it, nobody chooses it any more."""

    code: OptionCode
    name: Name
    closed: bool = False


class BoundsBody(Body, frozen=True):
    """What a value may be: ``max_length`` of a text; range and ``decimals`` of a number; range of a date; ``most``
    options at once."""

    max_length: Annotated[int, Meta(ge=1, le=200)] | None = None
    at_least: Amount | None = None
    at_most: Amount | None = None
    decimals: Annotated[int, Meta(ge=0, le=4)] | None = None
    earliest: date | None = None
    latest: date | None = None
    most: Annotated[int, Meta(ge=1, le=50)] | None = None


class AttributeBody(Body, frozen=True, kw_only=True):
    """An attribute. ``seen_by`` and ``edited_by``: the member, staff of the member's store, head office; staff need the
    permission besides, where one is named. ``required``: registration and later forms of members must have it."""

    name: Name
    type: AttributeType
    bounds: BoundsBody = BoundsBody()
    options: Annotated[tuple[OptionBody, ...], Meta(max_length=200)] = ()
    required: bool = False
    seen_by: Annotated[tuple[Reach, ...], Meta(max_length=3)] = tuple(Reach)
    edited_by: Annotated[tuple[Reach, ...], Meta(max_length=3)] = tuple(Reach)
    see_permission: PermissionCode | None = None
    edit_permission: PermissionCode | None = None
    at_till: bool = False
    group: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")] = ""
    position: Sort = 0


class CreateAttribute(AttributeBody, frozen=True, kw_only=True):
    """A new attribute; its code never changes."""

    code: AttributeName


class ChangeAttribute(AttributeBody, frozen=True, kw_only=True):
    """An attribute anew, from the version that was read."""

    version: Version


class AttributeOut(Attribute, frozen=True, kw_only=True):
    """An attribute as staff define it; ``used``: members have values, so type and options stay."""

    used: bool


class AttributeList(msgspec.Struct):
    """Attributes in the order of forms, archived ones last."""

    items: list[Attribute]


class FormAttribute(msgspec.Struct):
    """An attribute as a member's form shows it; ``editable``: the member may change it."""

    code: str
    name: str
    type: AttributeType
    bounds: Bounds
    options: list[Option]
    required: bool
    editable: bool
    group: str


class FormField(msgspec.Struct):
    """A field that every member has: whether the member may change it now, and how often still (null: always)."""

    field: ProfileField
    editable: bool
    changes_left: int | None


class ProfileForm(msgspec.Struct):
    """What a form for one's own profile holds."""

    fields: list[FormField]
    attributes: list[FormAttribute]


class PutFieldRules(Body, frozen=True):
    """How often members may change each field themselves (null: always, 0: never), from the version that was read."""

    version: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    changes: Annotated[dict[ProfileField, Annotated[int, Meta(ge=0, le=100)] | None], Meta(max_length=20)]


class FieldRulesOut(msgspec.Struct):
    """How often members may change each field themselves (null: always, 0: never)."""

    changes: dict[ProfileField, int | None]
    version: int
