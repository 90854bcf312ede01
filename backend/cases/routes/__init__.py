"""The calls about feedback: the members', the staff's, and figures."""
