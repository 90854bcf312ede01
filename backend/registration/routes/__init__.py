"""Staff's calls about registrations, imports and batches, and the phone's about its own registration."""
