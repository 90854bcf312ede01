"""The catalogue: categories with their points rates, and articles with barcodes and prices.

Words: an *article* is what is sold, by SKU; a *category* says how many points its sales earn (in basis points of the
chain's rate). Tills send their own prices; ours are what is suggested.
"""
