"""What staff and the clock do with rebates."""
