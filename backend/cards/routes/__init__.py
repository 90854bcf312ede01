"""The calls of the list of cards: the phone's, and head office's for manager cards."""
