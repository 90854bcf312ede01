"""Bodies and answers of the members' own calls and of staff's calls about members."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backend.kernel.http import Body

from ..types import ActorKind, AttributeCondition, Gender, Level, Stage, Status

# In patterns, `$` alone would let a line break through at the end; `(?!\n)` does not.
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
WechatCode = Annotated[str, Meta(min_length=1, max_length=256)]
PinText = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)", description="6 位数字")]
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$(?!\n)")]
Benefit = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
LevelCode = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,20}$(?!\n)")]
AttributeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
AttributeValue: TypeAlias = (
    Annotated[str, Meta(max_length=200)]
    | Annotated[int, Meta(ge=-(10**15), le=10**15)]
    | Annotated[float, Meta(ge=-1e15, le=1e15)]
    | bool
    | Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=50)]
    | None
)
Attributes = Annotated[dict[AttributeName, AttributeValue], Meta(max_length=50)]


class LoginBody(Body, frozen=True):
    """The code from ``wx.login``."""

    js_code: WechatCode


class Register(Body, frozen=True):
    """Who registers. ``phone_code`` comes from ``getPhoneNumber``; ``referrer_code`` is another's member number."""

    phone_code: WechatCode
    name: Name
    consents: Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=10)]
    birthday: date | None = None
    gender: Gender | None = None
    store_id: StoreId | None = None
    referrer_code: Annotated[str, Meta(max_length=20)] | None = None
    attributes: Attributes | None = None


class ChangeProfile(Body, frozen=True):
    """The fields that change; ``null`` clears a birthday, a store, or one attribute."""

    name: Name | UnsetType = UNSET
    birthday: date | UnsetType | None = UNSET
    gender: Gender | UnsetType = UNSET
    store_id: StoreId | UnsetType | None = UNSET
    attributes: Attributes | UnsetType = UNSET


class EditMember(Body, frozen=True):
    """The fields that staff change, from the ``version`` they read, and why; ``null`` clears as for members."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
    name: Name | UnsetType = UNSET
    birthday: date | UnsetType | None = UNSET
    gender: Gender | UnsetType = UNSET
    store_id: StoreId | UnsetType | None = UNSET
    phone: Annotated[str, Meta(min_length=6, max_length=20)] | UnsetType = UNSET
    attributes: Attributes | UnsetType = UNSET


class ChangePhone(Body, frozen=True):
    """A fresh phone code of the new number, and the payment PIN where there is one."""

    phone_code: WechatCode
    pin: PinText | None = None


class PutPin(Body, frozen=True):
    """A new PIN, with the current one, or with a fresh phone code of the member's own number."""

    pin: PinText
    current_pin: PinText | None = None
    phone_code: WechatCode | None = None


class CreateDevice(Body, frozen=True):
    """What the phone is called."""

    name: Name


class NextLevel(msgspec.Struct):
    """The level above: how much spending is left to it, and how far along the way (basis points)."""

    name: str
    left_fen: int
    progress_bp: int


class LevelView(msgspec.Struct, omit_defaults=True):
    """A level as members see it; no ``next`` at the highest."""

    code: str
    name: str
    discount_bp: int
    next: NextLevel | None = None


class MemberView(msgspec.Struct):
    """A member's profile; the membership is good from ``valid_from`` to ``valid_until``, or without such an end."""

    id: str
    member_no: str
    name: str
    phone_masked: str
    birthday: date | None
    gender: Gender
    level: LevelView
    status: Status
    attributes: dict[str, Any]
    pin_set: bool
    valid_from: date | None = None
    valid_until: date | None = None


class LoginAnswer(msgspec.Struct):
    """A session's first tokens, and how far its user is registered."""

    access_token: str
    refresh_token: str
    expires_in: int
    registration: str
    member: MemberView | None


class DeviceCreated(msgspec.Struct):
    """All that a phone needs to show codes without a network; the secret is not shown again."""

    device_id: str
    handle: str
    secret: str
    algorithm: str
    step_s: int
    digits: int
    server_time: datetime


class DeviceRotated(msgspec.Struct):
    """The device's new handle; the one before is good for 60 s more."""

    device_id: str
    handle: str
    server_time: datetime


class DeviceView(msgspec.Struct):
    """An enrolled phone. ``rotate``: its handle is a day old, ask for a new one."""

    device_id: str
    name: str
    handle: str
    created_at: datetime
    rotate: bool


class DeviceList(msgspec.Struct):
    """Enrolled phones, newest first."""

    items: list[DeviceView]


class AdminMember(msgspec.Struct):
    """A member as staff see it."""

    id: str
    member_no: str
    name: str
    phone_masked: str
    birthday: date | None
    gender: Gender
    level: LevelView
    status: Status
    attributes: dict[str, Any]
    store_id: str | None
    growth_fen: int
    created_at: datetime
    version: int
    valid_from: date | None = None
    valid_until: date | None = None


class AdminMemberList(msgspec.Struct):
    """Members, newest first. A page may hold fewer than asked for, and still go on at ``next_cursor``."""

    items: list[AdminMember]
    next_cursor: str | None = None


class ChangesQuery(Body, frozen=True):
    """Where to go on."""

    cursor: Annotated[str, Meta(min_length=1, max_length=60)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class ActorView(msgspec.Struct):
    """Who changed something: the member, staff, the program, an import or a merge; ``name`` of a person."""

    kind: ActorKind
    id: str | None
    name: str | None


class MemberChangeView(msgspec.Struct):
    """One field that was changed. ``masked``: the values are shown in part or not at all; ``erased``: they are gone."""

    id: str
    at: datetime
    by: ActorView
    field: str
    before: Any
    after: Any
    masked: bool
    erased: bool
    reason: str | None


class MemberChangeList(msgspec.Struct):
    """Changes, newest first."""

    items: list[MemberChangeView]
    next_cursor: str | None


Text = Annotated[str, Meta(min_length=1, max_length=40)]
Cursor = Annotated[str, Meta(min_length=1, max_length=120)]


class MemberQuery(Body, frozen=True):
    """A member number, or conditions that must all hold; phone numbers, names and attributes are posted
    (``MemberSearch``). Last days are included."""

    query: Text | None = None
    status: Status | None = None
    store_id: StoreId | None = None
    level: LevelCode | None = None
    stage: Stage | None = None
    card_type: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,20}$(?!\n)")] | None = None
    registered_from: date | None = None
    registered_until: date | None = None
    valid_until_from: date | None = None
    valid_until_to: date | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class MemberSearch(MemberQuery, frozen=True):
    """A whole phone number or member number, with a status only members of that; or conditions that must all hold.

    ``name`` is how the name begins.
    """

    name: Text | None = None
    attributes: Annotated[tuple[AttributeCondition, ...], Meta(max_length=10)] = ()


class Why(Body, frozen=True):
    """Why something is done to a member; the history keeps it."""

    reason: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")] | None = None


class LevelBody(Body, frozen=True):
    """A level. ``discount_bp`` 500 takes 5 % off; ``points_multiplier_bp`` 20000 doubles the points.

    ``benefits`` are what else it gives, as members read it; where they are not given, they stay.
    """

    name: Name
    growth_from_fen: Annotated[int, Meta(ge=0, le=10**11)]
    discount_bp: Annotated[int, Meta(ge=0, le=9999)] = 0
    points_multiplier_bp: Annotated[int, Meta(ge=0, le=100_000)] = 10_000
    benefits: Annotated[tuple[Benefit, ...], Meta(max_length=12)] | None = None


class CreateLevel(LevelBody, frozen=True, kw_only=True):
    """A new level."""

    code: LevelCode


class LevelList(msgspec.Struct):
    """Levels, lowest first."""

    items: list[Level]
