"""The catalogue fits the code as it stands; the runner tells killed mutants from those that survive or are broken."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from .mutant import ROOT, DoesNotApply, Mutant, catalogue, mutate
from .trial import Verdict, try_mutant, try_unmutated

ALL = [mutant for mutants in catalogue().values() for mutant in mutants]
AREAS = {"ledger", "writer", "kernel", "auth", "members", "wallet", "coupons", "pos", "wechat"}


def mutated(mutant: Mutant) -> str:
    return mutate(mutant, (ROOT / mutant.file).read_text(encoding="utf-8"))


def test_every_area_has_mutants_and_every_mutant_a_name_of_its_own():
    names = Counter(mutant.name for mutant in ALL)

    assert set(catalogue()) >= AREAS
    assert all(catalogue().values())
    assert [name for name, count in names.items() if count > 1] == []


def test_every_mutant_applies_to_the_code_as_it_stands():
    problems = []
    for mutant in ALL:
        try:
            mutated(mutant)
        except DoesNotApply as error:
            problems.append(str(error))

    assert problems == []


def test_no_mutant_breaks_the_syntax_or_uses_a_name_that_is_not_there(tmp_path):
    """Either fails wherever the line is run, and proves nothing of the tests. (Ruff says the first unasked.)"""
    for number, mutant in enumerate(ALL):
        if mutant.file.endswith(".py"):
            (tmp_path / f"{number}_{mutant.name}.py").write_text(mutated(mutant), encoding="utf-8")

    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821", "--output-format"]
    said = subprocess.run([*ruff, "concise", str(tmp_path)], capture_output=True, text=True, check=False)

    assert (said.returncode, said.stderr) == (0, ""), said.stdout


@cache
def names_in(file: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_named_test_is_there():
    missing = []
    for mutant in ALL:
        assert mutant.caught_by, mutant.name
        for test in mutant.caught_by:
            file, _, name = test.partition("::")
            known = names_in(file) if (ROOT / file).is_file() else set()
            if not known or (name and name.partition("[")[0] not in known):
                missing.append(f"{mutant.name}: {test}")

    assert missing == []


# A till that gives change, in a project of its own; what its tests say of defects in it is known.
TILL = """
class DomainError(Exception):
    pass


def change(paid, price):
    if paid < price:
        raise DomainError("too little")
    return paid - price


def answer(paid, price):
    try:
        return {"change": change(paid, price)}
    except DomainError as error:
        return {"code": str(error)}
"""
TESTS = """
import pytest
from backend import till


@pytest.fixture
def drawer():
    return till.change(1, 1)


def test_gives_the_rest():
    assert till.change(5, 3) == 2


def test_refuses_too_little():
    with pytest.raises(till.DomainError):
        till.change(1, 2)


def test_exact_money_is_enough():
    assert till.change(3, 3) == 0


def test_says_what_is_wrong():
    assert till.answer(1, 2)["code"] == "too little"


def test_begins_empty(drawer):
    assert drawer == 0
"""
NAMED = "tests/test_till.py::"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted project, in git, with the witness where the runner expects it."""
    root = tmp_path_factory.mktemp("till")
    (root / "backend").mkdir()
    (root / "tests/mutants").mkdir(parents=True)
    for package in ("backend", "tests", "tests/mutants"):
        (root / package / "__init__.py").touch()
    (root / "backend/till.py").write_text(TILL)
    (root / "tests/test_till.py").write_text(TESTS)
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    shutil.copy(Path(__file__).with_name("witness.py"), root / "tests/mutants")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    subprocess.run(["git", "add", "--all"], cwd=root, check=True)
    return root


def defect(text: str, becomes: str, *tests: str) -> Mutant:
    return Mutant("m", "h", "backend/till.py", text, becomes, tuple(NAMED + test for test in tests))


@pytest.mark.parametrize(
    ("mutant", "verdict", "by"),
    [
        (
            defect("paid < price", "paid <= price", "test_gives_the_rest", "test_exact_money_is_enough"),
            Verdict.KILLED,
            "test_exact_money_is_enough",
        ),
        (defect("paid < price", "False", "test_refuses_too_little"), Verdict.KILLED, "test_refuses_too_little"),
        (defect("paid < price", "False", "test_says_what_is_wrong"), Verdict.KILLED, "test_says_what_is_wrong"),
        (defect("paid < price", "False", "test_gives_the_rest"), Verdict.SURVIVED, ""),
        (defect("str(error)", "str(error)[99]", "test_says_what_is_wrong"), Verdict.INVALID, "IndexError"),
        (defect("paid - price", "paid - cost", "test_gives_the_rest"), Verdict.INVALID, "NameError"),
        (defect("class", "import nothing_such\n\nclass", "test_gives_the_rest"), Verdict.INVALID, "collect failed"),
        (defect("paid < price", "paid <= price", "test_begins_empty"), Verdict.INVALID, "setup failed"),
        (defect("paid - price", "paid", "test_that_is_not_there"), Verdict.INVALID, ""),
        (defect("no such text", "", "test_gives_the_rest"), Verdict.INVALID, "found 0 times"),
    ],
    ids=lambda value: value.becomes if isinstance(value, Mutant) else None,
)
def test_the_verdict_on_a_planted_defect(project, mutant, verdict, by):
    trial = try_mutant(mutant, project)

    assert (trial.verdict, by in trial.by) == (verdict, True), trial
    assert (project / "backend/till.py").read_text() == TILL


def test_named_tests_must_pass_without_a_mutant(project):
    (project / "tests/test_wrong.py").write_text("def test_wrong():\n    assert 1 == 2\n")
    subprocess.run(["git", "add", "--all"], cwd=project, check=True)

    right = try_unmutated([NAMED + "test_gives_the_rest"], project)
    wrong = try_unmutated([NAMED + "test_gives_the_rest", "tests/test_wrong.py::test_wrong"], project)

    assert right.verdict is Verdict.SURVIVED
    assert (wrong.verdict, "tests/test_wrong.py::test_wrong: AssertionError" in wrong.by) == (Verdict.INVALID, True)
