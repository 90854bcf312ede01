"""Pure integer rules of points: what a purchase earns, and which lots go where."""
