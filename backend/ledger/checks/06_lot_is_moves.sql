-- each lot holds what was moved into it less what was taken
SELECT coalesce(l.member_id, m.member_id), format('lot %s: %s, moves %s', coalesce(l.lot_id, m.lot_id), l.remaining,
    m.total)
FROM (SELECT *
FROM ledger_lot
WHERE member_id >= $1 AND member_id < $2) l
FULL JOIN (SELECT member_id, lot_id, sum(amount) AS total, (array_agg(amount ORDER BY seq))[1] AS first
FROM ledger_lot_move
WHERE member_id >= $1 AND member_id < $2
GROUP BY member_id, lot_id) m USING (member_id, lot_id)
WHERE l.remaining IS DISTINCT
FROM m.total OR l.issued IS DISTINCT
FROM m.first
