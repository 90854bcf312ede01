"""Use cases of the wallet: recharges and their payment, what the clock does, offers."""
