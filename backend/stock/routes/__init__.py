"""The calls about stock: members ask what is there; a store's staff reach their store's places only."""
