"""How names and texts are found by any two characters next to each other; names by pinyin and its initials, too.

An index entry is a set of words: every character and every pair of neighbours; and from every syllable on, what follows
it in pinyin and as initials, so that ``guozhi``, ``guoz`` and ``gz`` all find 苹果汁 by the beginning of a word. A
query asks for each pair of neighbours in it, and for words that begin as its letters do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

_LONGEST_WORD = 32
_LONGEST_INITIALS = 12
_MOST_ASKED = 16
_RUN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_UNIT = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]")


def fold(text: str) -> str:
    """The text as it is compared: compatibility forms and case folded; ü as keyboards write it."""
    return unicodedata.normalize("NFKC", text).lower().replace("ü", "v")


def _units(folded: str, *, tones: bool) -> list[str]:
    """What a text is spoken as: a reading for each character, by whole words, since 重 is read zhòng and chóng.

    Runs of letters and digits are one unit each, and so is a character without a reading; the rest is left out.
    """
    # The dictionaries take a tenth of a second and 60 MB: only who writes names pays for them.
    from pypinyin import Style, lazy_pinyin

    readings = lazy_pinyin(folded, style=Style.TONE3 if tones else Style.NORMAL, errors=_each)
    return [match[0] if match[0].isascii() else readings[match.start()] for match in _UNIT.finditer(folded)]


def _each(unread: str) -> Any:
    """One reading for each character, so that readings and characters stand at the same places."""
    return list(unread)


def words_of(names: Iterable[str]) -> list[str]:
    """The words that these names are found by, sorted; lower-case letters, digits and characters only."""
    words: set[str] = set()
    for name in names:
        folded = fold(name)
        words |= _written(folded)
        words.update(_spoken(folded))
    return sorted(words)


def words_in(text: str) -> list[str]:
    """The words that a text is found by, as it is written: pinyin of whole pages would find too much, and be large."""
    return sorted(_written(fold(text)))


def _written(folded: str) -> set[str]:
    """Runs of letters and digits; of others every character and every pair of neighbours."""
    words: set[str] = set()
    for run in _RUN.findall(folded):
        if run.isascii():
            words.add(run[:_LONGEST_WORD])
        else:
            words.update(run)
            words.update(first + second for first, second in pairwise(run))
    return words


def _spoken(folded: str) -> Iterable[str]:
    """From each unit on, the pinyin and the initials of what follows."""
    units = _units(folded, tones=False)
    for start in range(len(units)):
        yield "".join(units[start : start + _LONGEST_WORD])[:_LONGEST_WORD]
        yield "".join(unit[0] for unit in units[start : start + _LONGEST_INITIALS])


def query_of(text: str) -> str | None:
    """The text as a ``tsquery``: all of it must be found; None where nothing in it can be looked for."""
    return " & ".join(asked(text)) or None


def asked(text: str) -> list[str]:
    """What is looked for in a text, each as a ``tsquery`` of its own, sixteen at most."""
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if run.isascii():
            found.append(f"'{run[:_LONGEST_WORD]}':*")
        elif len(run) == 1:
            found.append(f"'{run}'")
        else:
            found.extend(f"'{first}{second}'" for first, second in pairwise(run))
    return list(dict.fromkeys(found[:_MOST_ASKED]))


def name_key(name: str) -> str:
    """What a name is sorted by, in the order of bytes: syllables with their tones; letters and digits as they are."""
    return " ".join(_units(fold(name), tones=True))
