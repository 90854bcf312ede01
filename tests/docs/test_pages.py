"""What the documents say exists: settings, files, headings, commands, metrics, log events, errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from backend.cli.main import app
from backend.coupons.errors import REFUSALS
from backend.kernel import metrics
from tests.docs import holdings_table, permissions_table, settings_table

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "backend").rglob("*.py")))

_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names under which a page's headings can be linked, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)

    for link in links:
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_table_of_permissions_is_what_the_code_says():
    assert permissions_table.in_page() == permissions_table.render(), "run: python -m tests.docs.permissions_table"


def test_the_table_of_settings_is_the_settings():
    assert settings_table.in_page() == settings_table.render(), "run: python -m tests.docs.settings_table"


def test_the_table_of_holdings_is_what_domains_declare():
    assert holdings_table.in_page() == holdings_table.render(), "run: python -m tests.docs.holdings_table"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_is_printed_exists(page):
    text = page.read_text(encoding="utf-8")
    command = r"huiyuan ([a-z]+(?:-[a-z]+)*)"
    printed = re.findall(f"`{command}", text) + re.findall(rf"^(?:\S*bin/)?{command}", text, re.MULTILINE)

    assert set(printed) <= set(get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("domain", ["coupons", "giftcards", "messages", "passes", "stamps", "surveys"])
def test_every_refusal_of_coupons_and_cards_is_in_the_docs(domain):
    codes = re.findall(r'^    code = "([a-z_]+)"', (ROOT / "backend" / domain / "errors.py").read_text(), re.MULTILINE)
    if domain == "coupons":
        codes += [refusal.code for refusal in REFUSALS.values()]
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert codes
    assert [code for code in codes if f"`{code}`" not in text and f"`…{code[code.index('_') :]}" not in text] == []


def test_every_metric_and_log_event_named_for_operators_exists():
    names = {sample.name for metric in metrics.REGISTRY.collect() for sample in metric.samples}
    names |= {metric.name for metric in metrics.REGISTRY.collect()}
    names |= {f"{metric.name}_total" for metric in metrics.REGISTRY.collect() if metric.type == "counter"}
    for metric in re.findall(r"`(huiyuan_(?!owner|app|restored)[a-z_]+)", OPERATIONS):
        assert metric in names, metric
    for event in re.findall(r"`((?:outbox|wallet|wechat|pos|job|http|redis|worker)\.[a-z_]+)`", OPERATIONS):
        assert f'"{event}"' in SOURCE or f"def {event.partition('.')[2]}" in SOURCE, event
