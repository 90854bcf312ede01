-- what a transfer takes from or gives to coupons is booked on their own template
SELECT member_id, format('transfer %s, template %s: %s %s', seq, template, sum(amount), unit)
FROM (SELECT e.member_id, e.seq, e.unit, e.amount,
    CASE WHEN starts_with(e.kind, 'house.') THEN e.ref ELSE l.source END AS template
FROM ledger_entry e
LEFT JOIN (SELECT member_id, ref, min(source) AS source
FROM ledger_lot
WHERE member_id >= $1 AND member_id < $2 AND kind = 'coupon'
GROUP BY member_id, ref) l ON l.member_id = e.member_id AND l.ref = e.ref
WHERE e.member_id >= $1 AND e.member_id < $2
    AND (e.kind IN ('coupon', 'coupon_held') OR starts_with(e.kind, 'house.coupons_'))) x
GROUP BY member_id, seq, unit, template HAVING sum(amount) <> 0
