"""An import-linter contract of our own: a domain is entered through its doors only."""

from __future__ import annotations

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """Of another domain only certain modules may be imported; everything not named is closed, also what comes later.

    Options:
        package: the root package whose direct subpackages are the domains.
        doors: modules that are open in every domain.
        named_doors: further open modules, by full name.
        open: subpackages that anyone may import wholly (they are no domains).
        free: subpackages that may import everything (they put the domains together).
    """

    type_name = "doors"

    package = fields.StringField()
    doors = fields.SetField(subfield=fields.StringField())
    named_doors = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())
    open = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())
    free = fields.SetField(subfield=fields.StringField(), required=False, default=frozenset())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at every direct import between two domains."""
        broken = []
        for imported in sorted(graph.modules):
            if not self._is_closed(imported):
                continue
            for importer in sorted(graph.find_modules_that_directly_import(imported)):
                if self._domain(importer) not in {self._domain(imported), *self._values("free")}:
                    lines = [d["line_number"] for d in graph.get_import_details(importer=importer, imported=imported)]
                    broken.append((importer, imported, lines))
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import that goes round a door."""
        for importer, imported, lines in check.metadata["broken"]:
            output.print_error(f"{importer} -> {imported} (line {', '.join(map(str, lines))})", bold=False)

    def _values(self, option: str) -> set[str]:
        value: Any = getattr(self, option)
        return set(value)

    def _domain(self, module: str) -> str:
        parts = module.split(".")
        return parts[1] if parts[0] == str(self.package) and len(parts) > 1 else ""

    def _is_closed(self, module: str) -> bool:
        domain = self._domain(module)
        if not domain or domain in self._values("open") or domain in self._values("free"):
            return False
        parts = module.split(".")
        if len(parts) == 2:  # the package itself: its docstring and nothing else
            return False
        door = ".".join(parts[:3])
        return parts[2] not in self._values("doors") and door not in self._values("named_doors")
