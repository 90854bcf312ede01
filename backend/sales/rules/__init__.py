"""Pure integer rules of a purchase: prices, tenders, coupons and gift cards among them, points, refunds."""
