-- the refunds of a sale give back no more stored value, rebate and points than it took
SELECT member_id, format('sale in transfer %s: %s', sale, kind)
FROM (SELECT t.member_id, coalesce(t.reverses, t.seq) AS sale, e.kind,
    sum(CASE WHEN e.kind LIKE 'house.%' THEN -e.amount ELSE e.amount END) AS net
FROM ledger_transfer t
JOIN ledger_entry e USING (member_id, seq)
WHERE t.member_id >= $1 AND t.member_id < $2 AND t.kind IN ('sale', 'refund')
    AND e.kind IN ('stored', 'rebate', 'house.points_redeemed')
GROUP BY t.member_id, coalesce(t.reverses, t.seq), e.kind) x
WHERE net > 0
