"""What is done with subscribers and entries."""
