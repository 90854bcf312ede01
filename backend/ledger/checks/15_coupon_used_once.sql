-- each coupon holds after every transfer between nothing and what it was issued for: used up once, net of returns
SELECT member_id, format('coupon %s after transfer %s: %s of %s', ref, seq, held, coalesce(issued, 0))
FROM (SELECT member_id, ref, seq, sum(sum(amount)) OVER (PARTITION BY member_id, ref ORDER BY seq) AS held
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2 AND kind IN ('coupon', 'coupon_held')
GROUP BY member_id, ref, seq) e
LEFT JOIN (SELECT member_id, ref, (array_agg(issued ORDER BY lot_id))[1] AS issued
FROM ledger_lot
WHERE member_id >= $1 AND member_id < $2 AND kind = 'coupon'
GROUP BY member_id, ref) l USING (member_id, ref)
WHERE held NOT BETWEEN 0 AND coalesce(issued, 0)
