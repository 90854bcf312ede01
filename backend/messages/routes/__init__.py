"""The calls about letters: the phone's inbox and settings, and what staff do."""
