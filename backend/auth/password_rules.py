"""Which passwords staff may have: long, not their own name, not one that everybody tries first. Pure."""

from __future__ import annotations

import re
import unicodedata

from backend.kernel.errors import invalid

SHORTEST = 10

# What lists of leaked passwords begin with, here and in China, as far as they are or become long by a few digits.
_WORDS = frozenset(
    [
        "password",
        "passwort",
        "passw0rd",
        "pass",
        "admin",
        "administrator",
        "root",
        "welcome",
        "letmein",
        "login",
        "iloveyou",
        "woaini",
        "woaiwojia",
        "qwerty",
        "qwertyuiop",
        "qwertyui",
        "asdfghjkl",
        "asdfgh",
        "zxcvbnm",
        "zxcvbn",
        "qazwsx",
        "qazwsxedc",
        "1qaz2wsx",
        "1q2w3e4r",
        "1q2w3e4r5t",
        "q1w2e3r4",
        "q1w2e3r4t5",
        "abcdefgh",
        "abcdefghij",
        "abc",
        "abcd",
        "a1b2c3d4",
        "dragon",
        "monkey",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "superman",
        "master",
        "shadow",
        "michael",
        "computer",
        "internet",
        "whatever",
        "trustno",
        "huiyuan",
        "member",
        "store",
        "shop",
        "shouyin",
        "dianzhang",
        "kaoqin",
        "test",
        "testtest",
        "changeme",
        "secret",
        "default",
        "guest",
        "woshishei",
        "nihao",
        "nihaoma",
        "zhongguo",
        "china",
        "beijing",
        "shanghai",
        "taobao",
    ]
)
_ALIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_ROWS = ("01234567890123456789", "09876543210987654321", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def check_password(password: str, username: str, pointer: str = "/password") -> None:
    """Refuse a password that others would guess; which rule it was is said at ``pointer``."""
    text = unicodedata.normalize("NFKC", password).casefold()
    if len(password) < SHORTEST:
        raise invalid(pointer, f"must be at least {SHORTEST} characters long")
    if len(username) >= 3 and username.casefold() in text:
        raise invalid(pointer, "must not have the user name in it")
    if is_common(text):
        raise invalid(pointer, "is one that many people use; take another")


def is_common(text: str) -> bool:
    """Whether a password in lower case is a row of keys, one piece again and again, or a common word with a tail."""
    if any(text in row for row in _ROWS) or len(set(text)) < 4:
        return True
    if re.fullmatch(r"(.{1,4})\1+.{0,3}", text):
        return True
    bare = re.sub(r"[\d\W_]+$", "", text) or text
    head = re.sub(r"^[\d\W_]+", "", bare) or bare
    return not _WORDS.isdisjoint({text, bare, head, text.translate(_ALIKE), head.translate(_ALIKE)})
