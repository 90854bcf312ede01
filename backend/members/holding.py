"""What the chain holds of a member, table by table: one registry for what happens to a member everywhere at once.

A domain says in its ``holdings.py`` what it holds (``holds(Holding(…))``), and ``kernel.events.load`` imports it. The
archive of a member, erasure and merging go through the registry, and know no domain. Most tables are plain, and are
declared; what is not, a function does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from backend.kernel.db import Tx

MEMBER = "member_id = $1"


@dataclass(frozen=True, kw_only=True)
class Erased:
    """What becomes of a table's rows when their member is erased: they are deleted, stripped, or stay as they are.

    ``strips`` are the columns that lose what they say, with the SQL that is put there. What stays, stays for a reason,
    which docs/privacy.md lists.
    """

    deleted: bool = False
    strips: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


DELETED = Erased(deleted=True)


def kept(why: str) -> Erased:
    """The rows stay as they are: they name nobody once the member's own row is stripped, and are needed."""
    return Erased(why=why)


def stripped(why: str, /, **columns: str) -> Erased:
    """The rows stay, without what these columns said: ``stripped("amounts are tax records", note="''")``."""
    return Erased(strips=columns, why=why)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What an archive has of a table's rows.

    Args:
        title: what the list is called, in Chinese.
        columns: heading of each column, in Chinese; a heading may be the column's name.
        key: columns that tell a member's rows apart, in the order in which they are listed; best an index after the
            member.
        only: a further condition; rows that do not meet it are not the member's to read.
        sealed: the vault's context of columns that are opened.
        pictures: columns whose bytes become files of their own.
    """

    title: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    only: str = "true"
    sealed: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class MovingTable:
    """A table whose rows go over to another member as they are, when two are merged.

    Of rows with the same ``key`` in that table the target keeps its own, and the source's stay where they are; without
    one nothing can clash.
    """

    name: str
    column: str = "member_id"
    key: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def sql(self) -> str:
        """What moves the rows of ``$1`` to ``$2``."""
        move = f"UPDATE {self.name} t SET {self.column} = $2 WHERE t.{self.column} = $1"
        if not self.key:
            return move
        same = " AND ".join(f"o.{name} = t.{name}" for name in self.key)
        return f"{move} AND NOT EXISTS (SELECT FROM {self.name} o WHERE o.{self.column} = $2 AND {same})"


@dataclass(frozen=True)
class Table:
    """A table in which a member's rows stand.

    Args:
        name: the table.
        erased: what becomes of the rows.
        shown: what an archive has of them; without it ``unshown`` says why nothing.
        whose: the condition under which a row is the member's, who is ``$1``.
        unshown: why the archive has nothing of it.
    """

    name: str
    erased: Erased
    shown: Shown | None = None
    whose: str = field(default=MEMBER, kw_only=True)
    unshown: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if (self.shown is None) is not bool(self.unshown):
            raise TypeError(f"{self.name}: say what an archive shows of it, or why nothing")
        if self.erased.deleted is bool(self.erased.why):
            raise TypeError(f"{self.name}: say why rows stay, or delete them")


@dataclass(frozen=True, kw_only=True)
class AtStake:
    """Something that a member would lose by being erased, or that must be settled before (``blocks``).

    Args:
        code: stable, for clients.
        title: for the member, in Chinese.
        amount: how much of ``unit`` (``fen``, ``points``, ``uses``, ``pieces``).
    """

    code: str
    title: str
    amount: int
    unit: str
    blocks: bool = False


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Something of a member's that is under way, so that they cannot be merged into another before it is over.

    Args:
        code: stable, for clients.
        title: for staff, in Chinese.
        ids: what it is, at most ten.
    """

    code: str
    title: str
    ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Clash:
    """What both of two members have and only one can be kept of, and which it will be.

    Args:
        code: stable, for clients.
        title: what it is, in Chinese.
        kept: what becomes of it, in Chinese.
    """

    code: str
    title: str
    kept: str


@dataclass(frozen=True, kw_only=True)
class Carrying:
    """Value that goes from one member's books to another's, with both held.

    Args:
        source_id: the member who was merged, or is being.
        target_id: the one merged into.
        merge_id: what every transfer of it is about.
        key: tells this carrying from any other of the two; part of the transfers' keys.
        at: now; ``on`` its local day.
        first: the merge itself; later ones bring what still came to the source.
    """

    source_id: int
    target_id: int
    merge_id: str
    key: str
    at: datetime
    on: date
    first: bool


Stakes = Callable[[Tx, int], Awaitable[list[AtStake]]]
Erase = Callable[[Tx, int, datetime], Awaitable[None]]
Merge = Callable[[Tx, int, int, datetime], Awaitable[None]]
Obstacles = Callable[[Tx, int], Awaitable[list[Obstacle]]]
Clashes = Callable[[Tx, int, int], Awaitable[list[Clash]]]
Carry = Callable[[Tx, Carrying], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What one domain holds of a member.

    Args:
        name: the domain's.
        title: for the member, in Chinese.
        tables: every table with rows of members; details before what they belong to, for rows are erased in this order.
        at_stake: what stands in the way of erasing, or is lost by it; called with the member locked.
        give_up: lets value go, through the ledger; called with the member locked, in the transaction that erases.
        erase: what the tables' declarations cannot say; called before them, and again after a crash.
        moves: tables whose rows become the target's, as they are, when two members are merged.
        merge: moves what else is the source's to the target, or closes it; called with both locked, after ``moves``,
            before their books are held. ``joined`` are the tables that it, or ``carry``, decides about row by row.
        stays: tables whose rows stay under the source's id: history, which is shown with the target's.
        obstacles: what is under way and must be over first; called with both books held.
        clashes: what both have and only one can be kept of, for whoever decides.
        carry: moves value of the domain's own accounts from one's books to the other's, which are held; called once by
            the merge, and again whenever something still came to the source's books.
    """

    name: str
    title: str
    tables: tuple[Table, ...] = ()
    at_stake: Stakes | None = None
    give_up: Erase | None = None
    erase: Erase | None = None
    moves: tuple[MovingTable, ...] = ()
    joined: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    merge: Merge | None = None
    obstacles: Obstacles | None = None
    clashes: Clashes | None = None
    carry: Carry | None = None


_holdings: dict[str, Holding] = {}


def holds(holding: Holding) -> Holding:
    """Enter what a domain holds of members; raises for a name or a table that is entered already."""
    known = {table.name: other.name for other in _holdings.values() for table in other.tables}
    if holding.name in _holdings:
        raise TypeError(f"two holdings are called {holding.name}")
    for table in holding.tables:
        if table.name in known:
            raise TypeError(f"{table.name} is held by {known[table.name]} and by {holding.name}")
    _holdings[holding.name] = holding
    return holding


def quoted(column: str) -> str:
    """A column's name as a statement has it: some are words of SQL."""
    return f'"{column}"'


def sql_to_strip(table: Table) -> str | None:
    """The statement that erases a member's (``$1``) rows of a table; None where they stay as they are.

    Done again it finds nothing more to do.
    """
    left = sql_of_left(table)
    if left is None:
        return None
    if table.erased.deleted:
        return f"DELETE FROM {table.name} WHERE {left}"
    puts = ", ".join(f"{quoted(column)} = {value}" for column, value in table.erased.strips.items())
    return f"UPDATE {table.name} SET {puts} WHERE {left}"


def sql_of_left(table: Table) -> str | None:
    """The condition under which a row of a table has something of a member (``$1``) that erasing takes; None: never."""
    strips = table.erased.strips
    if table.erased.deleted:
        return table.whose
    if not strips:
        return None
    differs = " OR ".join(f"{quoted(column)} IS DISTINCT FROM {value}" for column, value in strips.items())
    return f"({table.whose}) AND ({differs})"


def all_holdings() -> tuple[Holding, ...]:
    """Every holding, in the order of the layers."""
    return tuple(_holdings.values())
