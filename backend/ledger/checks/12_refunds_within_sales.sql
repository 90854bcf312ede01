-- the refunds of a sale or order give back no more value, points and coupons than it took, and of coupons' cost no more than it was
SELECT member_id, format('sale in transfer %s: %s', sale, concat_ws(' ', kind, ref))
FROM (SELECT t.member_id, coalesce(t.reverses, t.seq) AS sale, e.kind, e.unit,
    CASE WHEN e.kind IN ('house.coupons_used', 'house.coupon_cost') THEN e.ref END AS ref,
    sum(CASE WHEN e.kind IN ('house.points_redeemed', 'house.coupons_used') THEN -e.amount ELSE e.amount END) AS net
FROM ledger_transfer t
JOIN ledger_entry e USING (member_id, seq)
WHERE t.member_id >= $1 AND t.member_id < $2 AND t.kind IN ('sale', 'order', 'order_held', 'order_released', 'refund')
    AND e.kind IN ('stored', 'rebate', 'house.points_redeemed', 'house.coupons_used', 'house.coupon_cost',
    'gift_card')
GROUP BY 1, 2, 3, 4, 5) x
WHERE net > 0
