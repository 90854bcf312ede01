"""What the chain tells its members and its staff: announcements, and the handbook.

Words: an *announcement* is meant for an audience, from an instant until another; a *receipt* says that a member has
read it. The handbook is a tree of *chapters*; each has numbered *versions*, of which one may be a draft and one is
current. Texts are written in a safe part of Markdown and leave as *blocks*, which a page draws without any HTML.

Invariants: a member has at most one receipt of an announcement, and only of one that was shown to them. A store's staff
announce to their own store. What was published as a version is never changed. A chapter is shown only where it and all
chapters above it are published and meant for the reader.
"""
