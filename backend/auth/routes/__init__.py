"""Tokens of members and staff, and the admin calls that keep shops, tills, people and their log.

A member's log-in and registration answer with a member, so they stand in ``backend.members``.
"""
