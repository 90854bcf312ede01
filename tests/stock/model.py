"""Stock as a few lines of Python that share nothing with the product."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Out:
    """What a document took of a level: pieces the books had, their cost, pieces they had not; and what came back."""

    pieces: int = 0
    cost: int = 0
    short: int = 0
    back: int = 0
    cost_back: int = 0
    forgotten: int = 0

    @property
    def left(self) -> int:
        return self.pieces + self.short - self.back - self.forgotten


@dataclass
class Shelf:
    """One article at one place."""

    pieces: int = 0
    value: int = 0
    short: int = 0
    kept: bool = False
    promised: dict[str, int] = field(default_factory=dict)
    out: dict[str, Out] = field(default_factory=dict)
    moves: list[int] = field(default_factory=list)  # of goods as they really moved, one each line of the journal

    @property
    def available(self) -> int:
        return max(0, self.pieces - sum(self.promised.values()))

    def put(self, pieces: int, cost: int) -> None:
        self.kept = True
        self.pieces += pieces
        self.value += cost
        self.moves.append(pieces)

    def receive(self, pieces: int, cost: int) -> None:
        """What was short has been sold already: it leaves at the average."""
        self.put(pieces, cost)
        late = min(self.short, self.pieces)
        if late:
            self.value -= self.value if late == self.pieces else self.value * late // self.pieces
            self.pieces -= late
            self.short -= late
            self.moves.append(0)

    def take(self, document: str, wanted: int) -> None:
        """As much as there is; what lacks is short."""
        taken = min(wanted, self.pieces)
        cost = self.value if taken == self.pieces else self.value * taken // self.pieces
        self.pieces -= taken
        self.value -= cost
        self.short += wanted - taken
        self.out[document] = Out(taken, cost, wanted - taken)
        self.moves.append(-wanted)

    def put_back(self, document: str, pieces: int) -> None:
        out = self.out[document]
        known = min(pieces, max(0, out.pieces - out.back))
        cost = out.cost * (out.back + known) // out.pieces - out.cost_back if known else 0
        forgotten = min(pieces - known, self.short)
        unknown = pieces - known - forgotten
        average = self.value * unknown // self.pieces if self.pieces else 0
        self.put(pieces - forgotten, cost + average)
        self.moves[-1] = pieces
        self.short -= forgotten
        out.back += pieces - forgotten
        out.cost_back += cost
        out.forgotten += forgotten

    def count(self, found: int, seen: int, piece_cost: int) -> None:
        """So many were found when the journal had ``seen`` lines; what moved since is added."""
        self.kept = True
        really = found + sum(self.moves[seen:])
        more, short = max(0, really) - self.pieces, max(0, -really) - self.short
        if not more and not short:
            return
        if self.pieces:
            cost = self.value * abs(more) // self.pieces * (1 if more > 0 else -1)
        else:
            cost = piece_cost * more
        self.pieces += more
        self.value += cost
        self.short += short
        self.moves.append(more - short)
