-- each coupon is one lot for all of its life, a counted one of one use
SELECT a.member_id, format('coupon %s: %s lots of %s %s', a.ref, count(l.lot_id), coalesce(sum(l.issued), 0), a.unit)
FROM ledger_account a
LEFT JOIN ledger_lot l ON l.member_id = a.member_id AND l.kind = a.kind AND l.ref = a.ref
WHERE a.member_id >= $1 AND a.member_id < $2 AND a.kind = 'coupon'
GROUP BY a.member_id, a.ref, a.unit HAVING count(l.lot_id) <> 1 OR (a.unit = 'uses' AND sum(l.issued) <> 1)
