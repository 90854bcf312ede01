"""Pure: periods, what purchases come to under schemes, and what a statement pays."""
