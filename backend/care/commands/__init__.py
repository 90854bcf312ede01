"""What head office plans, the clock runs and staff do."""
