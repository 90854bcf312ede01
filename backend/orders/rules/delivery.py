"""Where goods are sent to and what that costs: regions by code, the rule that counts, the freight. Whole grams and fen.

Source: GB/T 2260 (codes of administrative divisions: two digits the province, four the city, six the district);
carriers' price lists (a first weight, and each further weight that is begun).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from backend.kernel.errors import invalid
from backend.kernel.money import MAX_AMOUNT

from ..types import DeliveryRule, Freight, Receiver
from .lines import Line

_NAMES = """
11北京 12天津 13河北 14山西 15内蒙 21辽宁 22吉林 23黑龙 31上海 32江苏 33浙江 34安徽 35福建 36江西 37山东 41河南 42湖北
43湖南 44广东 45广西 46海南 50重庆 51四川 52贵州 53云南 54西藏 61陕西 62甘肃 63青海 64宁夏 65新疆 71台湾 81香港 82澳门
"""
PROVINCES = {word[:2]: word[2:] for word in _NAMES.split()}
"""How the names of provinces begin, by the first two digits of a region's code."""

_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})
_NO_CITY = ("市辖区", "县")
"""What the lists call a municipality's city."""

_WITHOUT_CITIES = frozenset({"71", "81", "82"})
_WITHOUT_DISTRICTS = frozenset({"441900", "442000", "460400", "620200"})
"""Dongguan, Zhongshan, Danzhou, Jiayuguan: their own code is that of all of them."""

_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str, pointer: str) -> str:
    """What is printed on a label: without outer white space; refused when empty, or where something does not show."""
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise invalid(pointer, "must not be empty")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in _BIDI for char in text):
        raise invalid(pointer, "contains control characters")
    return text


def check_region(code: str, province: str, city: str) -> None:
    """Refuse a code that is no district's, or of another province than is named, and a city outside a municipality.

    Freight goes by the code, the parcel by the names. Which names a city or a district has is not judged: they change
    every year, and a list that is behind would refuse people where they live.
    """
    begins = PROVINCES.get(code[:2])
    if begins is None or not province.startswith(begins):
        raise invalid("/region", "is not the code of this province")
    if code.endswith("00") and code not in _WITHOUT_DISTRICTS and code[:2] not in _WITHOUT_CITIES:
        raise invalid("/region", "is the code of a city or a province, not of a district")
    if code[:2] in _MUNICIPALITIES and not city.startswith((begins, *_NO_CITY)):
        raise invalid("/city", "is not in this municipality")


def within(code: str, regions: Iterable[str]) -> int:
    """How many digits of a region's code the closest of these regions names; 0 where it lies in none of them."""
    return max((len(region) for region in regions if code.startswith(region)), default=0)


def find_rule(rules: Iterable[DeliveryRule], store_id: str, code: str) -> DeliveryRule | None:
    """The rule for a parcel from a store to a region, or None where nothing is sent.

    The highest priority counts; of several the one that names the region most closely, then the lowest id.
    """
    reaching = [
        (-rule.priority, -within(code, rule.regions), rule.id, rule)
        for rule in rules
        if rule.active
        and (not rule.stores or store_id in rule.stores)
        and (not rule.regions or within(code, rule.regions))
        and not within(code, rule.regions_excluded)
    ]
    return min(reaching, key=lambda one: one[:3])[3] if reaching else None


def free_from_at(rules: Iterable[DeliveryRule], store_id: str) -> tuple[bool, int | None]:
    """Whether a store sends anywhere at all, and the least that goods must cost somewhere for nothing to be paid."""
    here = [rule for rule in rules if rule.active and (not rule.stores or store_id in rule.stores)]
    return bool(here), min((rule.free_from_fen for rule in here if rule.free_from_fen is not None), default=None)


def freight(rule: DeliveryRule, lines: Sequence[Line]) -> Freight:
    """What sending these lines costs: nothing from so many fen of goods on, counted before coupons and points."""
    weight_g = sum(line.qty * line.article.weight_g for line in lines)
    goods_fen = sum(line.payable_fen for line in lines)
    free = rule.free_from_fen is not None and goods_fen >= rule.free_from_fen
    fee_fen = 0 if free else weight_fen(rule, weight_g)
    if sum(line.list_fen for line in lines) + fee_fen > MAX_AMOUNT:
        raise invalid("/lines", f"the order is more than {MAX_AMOUNT} fen")
    return Freight(rule_id=rule.id, title=rule.title, weight_g=weight_g, fee_fen=fee_fen, free=free)


def weight_fen(rule: DeliveryRule, weight_g: int) -> int:
    """The price of a weight: the first weight's, and a further one's for each that is begun beyond it."""
    beyond_g = max(0, weight_g - rule.first_g)
    return rule.first_fen + -(-beyond_g // rule.further_g) * rule.further_fen


STREET_TAIL = 6


def masked(receiver: Receiver) -> Receiver:
    """What a list or a bystander may see: the first character of the name, the ends of the phone, and no street."""
    name, phone = receiver.name, receiver.phone
    ends = f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else f"{phone[:1]}****{phone[-2:]}"
    stars = "*" * min(max(len(name) - 1, 1), 2)
    return msgspec.structs.replace(receiver, name=name[:1] + stars, phone=ends, street="")


def listed(receiver: Receiver) -> Receiver:
    """What its own member's list shows: masked, and the end of the street, by which one tells two of a district apart.

    At most six characters and at most half of them, so that it leads nobody there.
    """
    street = receiver.street
    tail = min(STREET_TAIL, len(street) // 2)
    return msgspec.structs.replace(masked(receiver), street=f"…{street[-tail:]}" if tail else "")
