"""What a workload does and what must hold, a file for each domain of the program.

**To add a domain, add one file here** with a subclass of ``Domain``; nothing else is touched. It says

- ``operations``: what clients do, how often, each a coroutine that takes an ``Op``;
- ``sums``: what the model keeps by member under one name, and the accounts that make it, with their signs; the oracle
  compares them at every check, and an account in no sum is a finding. No two domains share a name, of facts neither;
- ``facts`` and ``psp_facts``: what else is to be read of the books and of the PSP, a statement by name; ``check`` finds
  the rows in ``books.facts``;
- ``machines``: the states of its kinds of documents and where each may go (``""`` is before there is one);
- ``check``: what must hold between what its clients were told and what is stored;
- ``prepare`` (optional): what must be there before the first operation;
- ``jobs`` and ``settle`` (optional): what brings things that are under way to their end, before the last check.

An operation asks through ``World``: ``ask`` for what may succeed (``accept`` hears the answer and moves the model:
``world.model.move``), ``ask_in_vain`` for what must be refused. Whatever it decides by chance it decides by
``op.random``, so that the seed decides. A success that nobody told the model shows as a wrong balance at the next
check.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ..world import Model

if TYPE_CHECKING:
    from ..oracle import Books
    from ..world import Op, World


class Operation(NamedTuple):
    """Something that clients do; ``weight`` against the others is how often."""

    kind: str
    weight: float
    run: Callable[[Op], Awaitable[Any]]


class Domain:
    """One part of the workload; ``order`` decides who prepares first."""

    order: ClassVar[int] = 50
    sums: ClassVar[Mapping[str, Mapping[str, int]]] = {}
    facts: ClassVar[Mapping[str, str]] = {}
    psp_facts: ClassVar[Mapping[str, str]] = {}
    machines: ClassVar[Mapping[str, Mapping[str, Sequence[str]]]] = {}
    jobs: ClassVar[Sequence[str]] = ()

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def operations(self) -> Sequence[Operation]:
        """What clients do."""
        return ()

    async def prepare(self) -> None:
        """Make what must be there before the first operation."""

    async def settle(self) -> None:
        """See to it that what is under way ends; called a few times before the last check, with the clock moved on."""

    def pending(self, books: Books) -> bool:
        """Whether something ends by itself soon of which the model cannot know; the check waits for that a while."""
        return False

    def check(self, books: Books, *, final: bool) -> Iterator[str]:
        """What does not hold, in words. ``final``: nothing is under way any more, notifications neither."""
        yield from ()


def load(world: World) -> list[Domain]:
    """Every domain that has a file here, in the order they prepare; the world's model knows their sums from now on.

    Raises:
        ValueError: two of them give the same name to a sum, or to a fact; one would hide the other.
    """
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    kinds = sorted(Domain.__subclasses__(), key=lambda kind: kind.order)
    _check_names("sum", (name for kind in kinds for name in kind.sums))
    _check_names("fact", (name for kind in kinds for name in (*kind.facts, *kind.psp_facts)))
    world.model = Model(name for kind in kinds for name in kind.sums)
    world.domains = made = [kind(world) for kind in kinds]
    return made


def _check_names(what: str, names: Iterable[str]) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"two domains have a {what} called {', '.join(twice)}")
