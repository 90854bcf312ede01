"""Pure integer rules of the till: codes, prices, tenders, points, refunds."""
