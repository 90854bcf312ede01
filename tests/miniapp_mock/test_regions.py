"""The regions that the simulated WeChat offers for an address are such as orders take."""

from __future__ import annotations

import pytest

from backend.kernel.errors import ValidationFailed
from backend.orders.rules.delivery import check_region
from miniapp_mock.pages import STATIC


def districts() -> list[tuple[str, str, str]]:
    """The file's districts: code, province, city."""
    text = (STATIC / "wx" / "regions.js").read_text().split("`")[-2]
    found = []
    for line in text.strip().split("\n"):
        head, *cities = line.split("|")
        for part in cities:
            city, *names = part.split(" ")
            found += [(head[:2] + city[:2] + name[:2], head[2:], city[2:]) for name in names]
    return found


def test_every_district_that_can_be_chosen_is_one_that_an_address_takes():
    offered = districts()

    assert len(offered) > 2_900
    assert len({code for code, _, _ in offered}) == len(offered)
    assert ("440305", "广东省", "深圳市") in offered
    for code, province, city in offered:
        check_region(code, province, city)
    with pytest.raises(ValidationFailed):
        check_region("440305", "北京市", "深圳市")
