"""An app of its own, with the migration that a test applies to a serving system."""
