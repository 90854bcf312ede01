-- stored value is spent in the turn that its recharge agreed
SELECT l.member_id, format('lot %s is of rank %s, its recharge agreed %s', l.lot_id, l.rank, coalesce(d.body->>'spend', 'by_expiry'))
FROM ledger_lot l
JOIN ledger_document d ON d.member_id = l.member_id AND d.id = l.source AND d.kind = 'recharge'
WHERE l.member_id >= $1 AND l.member_id < $2 AND l.kind = 'stored' AND l.rank <> CASE
    WHEN l.part = 'bonus' AND d.body->>'spend' = 'principal_first' THEN 1
    WHEN l.part = 'bonus' AND d.body->>'spend' = 'bonus_first' THEN -1
    ELSE 0 END
