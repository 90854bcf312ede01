"""The calls about letters: the phone's inbox."""
