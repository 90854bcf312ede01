"""What a letter carries with it, and what comes back: signed addresses, clicks, bounces, receipts, printed labels.

Pure apart from the vault's key: nothing here reads or writes a table.
"""
