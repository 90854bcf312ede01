"""What follows from what, without I/O."""
