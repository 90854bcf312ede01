"""The calls of gifts: the phone's, the till's, staff's, and the report."""
