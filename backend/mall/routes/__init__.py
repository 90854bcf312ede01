"""The catalogue's calls: pictures for everybody, the phone's, and head office's."""
