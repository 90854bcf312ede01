"""Two thousand members that nobody is: names and numbers from a fixed seed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import msgspec

_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍鹏辉婷雪梅琳晨宇"


class Person(msgspec.Struct, frozen=True):
    """A member of the demo, and how much they shop."""

    member_id: int
    number: int
    name: str
    phone: str
    birthday: date
    gender: str
    store: int
    joined_at: datetime
    sales: int
    recharges: int


def make_people(count: int, now: datetime) -> list[Person]:
    """The members, the same ones every time; they joined within the year before ``now``."""
    random = Random(611)  # noqa: S311 - a fixed seed is the point
    people = []
    for number in range(count):
        joined = now - timedelta(days=random.randrange(30, 365), minutes=random.randrange(600))
        busy = random.paretovariate(1.4)
        people.append(
            Person(
                member_id=(1 << 61) + random.getrandbits(60),
                number=number,
                name=random.choice(_FAMILY) + "".join(random.choices(_GIVEN, k=random.choice((1, 2, 2)))),
                phone=f"1{random.choice('3578')}{random.randrange(10**9):09d}",
                birthday=date(1955, 1, 1) + timedelta(days=random.randrange(19_000)),
                gender=random.choice(("male", "female", "female", "unknown")),
                store=random.choices((0, 1, 2), (5, 3, 2))[0],
                joined_at=joined,
                sales=min(40, round(busy * 2.6)),
                recharges=min(5, round(busy * 0.55)),
            )
        )
    return people
