"""Three hundred articles in twelve categories, as a neighbourhood shop has them."""

from __future__ import annotations

from random import Random

import msgspec


class Category(msgspec.Struct, frozen=True):
    """A category, its points rate, what it sells and between which prices (fen)."""

    code: str
    name: str
    points_rate_bp: int
    low_fen: int
    high_fen: int
    words: str


class Article(msgspec.Struct, frozen=True):
    """An article of the demo; of one in ten nobody has said what it costs."""

    sku: str
    barcode: str
    name: str
    category: str
    unit_price_fen: int
    cost_fen: int | None


CATEGORIES = (
    Category("water", "饮用水", 10_000, 150, 1200, "纯净水 矿泉水 苏打水 气泡水 天然水"),
    Category("tea", "茶饮", 10_000, 300, 900, "绿茶 乌龙茶 红茶 茉莉花茶 柠檬茶"),
    Category("dairy", "乳品", 10_000, 280, 6900, "鲜牛奶 酸奶 燕麦奶 奶酪 豆奶"),
    Category("bakery", "面包糕点", 15_000, 450, 3800, "吐司 可颂 蛋糕卷 肉松面包 蛋挞"),
    Category("snack", "休闲零食", 10_000, 350, 2990, "薯片 坚果 海苔 饼干 果冻"),
    Category("noodle", "方便食品", 10_000, 380, 2600, "牛肉面 拌面 米线 自热饭 馄饨"),
    Category("fruit", "水果", 20_000, 690, 5900, "苹果 香蕉 蓝莓 橙子 葡萄"),
    Category("fresh", "鲜食便当", 20_000, 880, 3200, "饭团 三明治 寿司 沙拉 便当"),
    Category("care", "个人护理", 10_000, 590, 8900, "牙膏 洗发水 面膜 沐浴露 护手霜"),
    Category("home", "家居清洁", 10_000, 490, 6900, "抽纸 洗衣液 垃圾袋 洗洁精 湿巾"),
    Category("liquor", "酒类", 5_000, 600, 29_900, "啤酒 清酒 红酒 米酒 白酒"),
    Category("tobacco", "香烟", 0, 1000, 7500, "细支 硬盒 软盒 短支 礼盒"),
)
MAKERS = ("江南", "晨光里", "小满", "山谷", "每日")


def make_articles() -> list[Article]:
    """The articles; the same ones every time."""
    random = Random(20261122)  # noqa: S311 - a fixed seed is the point
    made = []
    for position, category in enumerate(CATEGORIES):
        for number in range(25):
            word = category.words.split()[number % 5]
            price = random.randrange(category.low_fen, category.high_fen) // 10 * 10
            index = position * 25 + number
            made.append(
                Article(
                    sku=f"{100001 + index}",
                    barcode=_ean13(f"6901{index:08d}"),
                    name=f"{MAKERS[number // 5]}{word}",
                    category=category.code,
                    unit_price_fen=price,
                    cost_fen=price * (55 + index % 25) // 100 if index % 10 else None,
                )
            )
    return made


def _ean13(digits: str) -> str:
    total = sum(int(char) * (3 if position % 2 else 1) for position, char in enumerate(digits))
    return f"{digits}{-total % 10}"
