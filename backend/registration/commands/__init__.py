"""Use cases of registrations, imports, validity and batches."""
