"""Use cases of suggestion boxes. Of what is anonymous nothing is logged here: a line would say when it was."""
