"""What an order costs: pure integer rules."""
