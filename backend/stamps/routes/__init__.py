"""The calls of campaigns: the phone's, and head office's."""
