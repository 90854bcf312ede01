"""What needs no database: which questions are shown, what an answer must be, what can be published, what is counted."""
