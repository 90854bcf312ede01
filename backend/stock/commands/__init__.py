"""What is done with stock: each command opens the one transaction."""
