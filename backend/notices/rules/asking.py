"""Questions to the handbook: what in them is worth looking for, and the place that answers."""

from __future__ import annotations

import re

from backend.kernel import searching

# What people say around what they ask for. Longer words first, so that 怎么样 does not leave 样.
_AROUND = re.compile(
    "怎么样|怎么办|怎么|怎样|如何|什么时候|什么|为什么|哪里|哪儿|哪些|哪个|多少|多久|几天|能不能|可不可以|可以|是不是|是否|有没有|"
    "请问|你好|您好|麻烦|我想|我要|想要|想问|一下|谢谢|关于|需要|我的|你们|"
    "[吗呢吧啊呀的了么嘛哦和与及?？!！。，,]"
)
_BEFORE, _LONG = 16, 60
_MOST_CHARACTERS = 32


def asked(text: str) -> list[str]:
    """What is looked for in a question, each as a ``tsquery``: 怎么退货？ asks for 退货.

    Where nothing is left of it, all of it is looked for.
    """
    return searching.asked(_AROUND.sub(" ", searching.fold(text))) or searching.asked(text)


def characters(text: str) -> list[str]:
    """The single characters of what is asked for, as ``tsquery``: 退货 is also about what is called 退换货."""
    folded = _AROUND.sub(" ", searching.fold(text))
    return [f"'{char}'" for char in dict.fromkeys(folded) if char.isalpha() and not char.isascii()][:_MOST_CHARACTERS]


def excerpt(plain: str, text: str) -> str:
    """The part of a page where the first word of a question stands, else its beginning; some sixty characters."""
    line = " ".join(plain.split())
    folded = searching.fold(line)
    found = [folded.find(word.strip("':*")) for word in asked(text)]
    at = min((place for place in found if place >= 0), default=0) if len(folded) == len(line) else 0
    start = max(0, at - _BEFORE)
    end = start + _LONG
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"
