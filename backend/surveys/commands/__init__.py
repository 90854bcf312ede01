"""Use cases of surveys: what staff compose and publish, what members and staff answer, and what that is given."""
