"""Bodies and answers of the catalogue's calls."""
