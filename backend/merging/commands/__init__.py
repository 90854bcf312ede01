"""Use cases: finding pairs, asking for a merge, merging, and passing on what comes later."""
