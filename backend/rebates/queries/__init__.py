"""Reads of schemes, facts, runs and statements."""
