"""The demo chain: three stores, three hundred articles, two thousand members with a year of sales, from a fixed seed.

Its value enters through the ledger's offline door (``ledger_load``), so ``huiyuan audit`` proves it like any other.
"""
