"""What members and staff do with carts and orders."""
