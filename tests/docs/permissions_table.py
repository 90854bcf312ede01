"""The table of permissions in docs/security.md, made from the code: ``python -m tests.docs.permissions_table``."""

from __future__ import annotations

import re
from pathlib import Path

from backend.auth.rules import permissions_of
from backend.auth.types import Permission, Role

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
_BETWEEN = re.compile(
    r"(?<=<!-- permissions:begin \(made by `python -m tests\.docs\.permissions_table`\) -->\n).*?"
    r"(?=<!-- permissions:end -->)",
    re.DOTALL,
)
_HEADS = {
    Role.ADMIN: "head office",
    Role.MEMBER_CENTRE: "member centre",
    Role.MANAGER: "store manager",
    Role.CLERK: "cashier",
    Role.MARKETING: "marketing",
    Role.FINANCE: "finance",
    Role.AUDITOR: "auditor",
}


def render() -> str:
    """The table as Markdown."""
    lines = [
        "| permission | | " + " | ".join(_HEADS[role] for role in Role) + " |",
        "| --- | --- |" + " :-: |" * len(Role),
    ]
    held = {role: permissions_of(role, (), ()) for role in Role}
    for one in Permission:
        marks = " | ".join("●" if one in held[role] else "" for role in Role)
        lines.append(f"| `{one}`{' °' if one.office else ''} | {one.label} | {marks} |")
    return "\n".join(lines) + "\n"


def in_page() -> str:
    """The table as the page has it now."""
    (found,) = _BETWEEN.findall(PAGE.read_text(encoding="utf-8"))
    return str(found)


def write() -> None:
    """Put the table into the page."""
    PAGE.write_text(_BETWEEN.sub(lambda _: render(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
