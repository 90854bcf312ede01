"""What staff do to announcements and the handbook, and members read."""
