"""What passes are worth, what a sale sells, and when one may be used: pure."""
