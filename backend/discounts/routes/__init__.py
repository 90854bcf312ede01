"""The calls about rules of discounts."""
