"""Bodies and answers of registrations, imports and batches."""
