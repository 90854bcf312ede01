"""The coupon engine: pure integer rules, one module a noun. No I/O, no clock, no randomness."""
