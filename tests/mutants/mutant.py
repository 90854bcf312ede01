"""What a mutant is, where the catalogue keeps them, and how one is put into a tree of source files."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """One defect that an engineer might make.

    ``text`` is in ``file`` exactly once and is replaced by ``becomes``; ``caught_by`` are the tests of which at least
    one must then fail. ``harm`` says in one sentence what goes wrong for whom.
    """

    name: str
    harm: str
    file: str
    text: str
    becomes: str
    caught_by: tuple[str, ...]


class DoesNotApply(Exception):
    """The text is not in the file exactly once: what it stood for was changed, so the mutant must be too."""


def catalogue() -> dict[str, tuple[Mutant, ...]]:
    """Every mutant, by area: one module of ``tests.mutants.catalogue`` each."""
    from tests.mutants import catalogue as package

    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return {name: importlib.import_module(f"{package.__name__}.{name}").MUTANTS for name in names}


def mutate(mutant: Mutant, source: str) -> str:
    """The source with the defect in it."""
    if source.count(mutant.text) != 1:
        raise DoesNotApply(f"{mutant.name}: found {source.count(mutant.text)} times in {mutant.file}")
    return source.replace(mutant.text, mutant.becomes)


def plant(mutant: Mutant, tree: Path) -> None:
    """Put the defect into a copy of the project."""
    file = tree / mutant.file
    file.write_text(mutate(mutant, file.read_text(encoding="utf-8")), encoding="utf-8")


def copy_tracked(root: Path, tree: Path) -> None:
    """Copy what git knows of, as it stands in the working tree; a mutant never touches the original."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tree / name)
