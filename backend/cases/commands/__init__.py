"""Use cases of feedback: each is one step of one case."""
