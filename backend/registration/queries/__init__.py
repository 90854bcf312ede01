"""Reads of batches, registrations and imports."""
