"""Registrations, imports, validity and batches."""
