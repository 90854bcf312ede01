"""Seeded defects, each of which a named test must catch: the proof that the tests would notice. See docs/mutants.md."""
