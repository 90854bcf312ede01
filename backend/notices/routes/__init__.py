"""The calls about announcements and the handbook: the phone's, and staff's."""
