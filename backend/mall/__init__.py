"""The catalogue: what the chain sells, what it costs whom, where it is shown and how it is found.

Words: an *article* is what is sold, by SKU; a *category* says how many points its sales earn (in basis points of the
chain's rate), and lies under another; a *product* is a choice of articles shown as one, by *axes* (colour, size); an
article's *spec* is its value on each. A product is *published* to a channel at a store. The *list* price is for
everybody; a *level* may have its own; a *timed* price lasts for a while. Tills send their own prices; ours are what is
suggested there, and what the mall sells for.

Invariants: what can be bought in the mall is an active article of an active product that is published there. Articles
of a product carry its category and brand. Who of the staff changed what is written down and never rewritten.
"""
