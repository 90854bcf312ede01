"""The calls of points: head office's rules, staff's adjustments, members' transfers."""
