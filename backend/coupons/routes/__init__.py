"""HTTP edges of coupons: ``member`` for the phone, ``admin`` for head office."""
