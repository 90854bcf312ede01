"""What members and the clock do with letters."""
