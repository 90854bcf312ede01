"""The table of settings in docs/operations.md, made from the settings: ``python -m tests.docs.settings_table``."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from backend.kernel import config
from backend.kernel.config import PREFIX, Settings

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
_BETWEEN = re.compile(
    r"(?<=<!-- settings:begin \(made by `python -m tests\.docs\.settings_table`\) -->\n).*?(?=<!-- settings:end -->)",
    re.DOTALL,
)


def render() -> str:
    """The table as Markdown."""
    docs = config.field_docs()
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for field in msgspec.structs.fields(Settings):
        text = docs[field.name]
        meaning = text.removeprefix("secret:").strip().replace("|", "\\|")
        meaning = meaning[:1].upper() + meaning[1:] + (" (secret)" if text.startswith("secret:") else "")
        lines.append(f"| `{PREFIX}{field.name.upper()}` | {_shown(field)} | {meaning} |")
    return "\n".join(lines) + "\n"


def _shown(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`" if field.default != "" else "–"


def in_page() -> str:
    """The table as the page has it now."""
    (found,) = _BETWEEN.findall(PAGE.read_text(encoding="utf-8"))
    return str(found)


def write() -> None:
    """Put the table into the page."""
    PAGE.write_text(_BETWEEN.sub(lambda _: render(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
