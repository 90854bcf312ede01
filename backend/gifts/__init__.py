"""The gift catalogue (积分商城): goods, coupons and stored value that members redeem points for.

Words: a *gift* is what head office offers, its price in points and perhaps money; a *redemption* is one piece of it
that a member took. Goods wait at a store under a *pick-up code*, or are sent; coupons and stored value are given at
once.

What always holds: a gift is redeemed as often as its ``taken`` says, and never more than its total or its day's; what
a redemption took of a member goes back to the lots that it came from, or not at all; a code hands over once; a piece
that was promised lies with the shelf of its place until it is handed over, sent, or given back.
"""
