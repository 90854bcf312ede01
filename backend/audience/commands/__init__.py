"""Use cases of audiences: counting what members bought."""
