"""Use cases of the catalogue: what staff change, and the words that names are found by."""
