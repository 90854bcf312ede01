"""The calls of shifts."""
