"""What guessing costs whoever has stolen the hashes."""

from __future__ import annotations

from argon2 import PasswordHasher, Type


def test_a_hash_costs_what_owasp_asks_for(real_hasher: PasswordHasher) -> None:
    """Source: OWASP, Password Storage Cheat Sheet: argon2id with 19 MiB, two passes and one lane at the least."""
    assert real_hasher.type is Type.ID
    assert (real_hasher.memory_cost, real_hasher.time_cost, real_hasher.parallelism) == (19 * 1024, 2, 1)
    assert real_hasher.hash("correct horse").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
