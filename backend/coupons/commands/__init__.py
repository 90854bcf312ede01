"""Use cases of coupons: offers and codes that staff keep, claims, what is issued by itself, what age does."""
