"""The mutants: one module an area, each with a tuple ``MUTANTS``. A new module is found by itself."""
