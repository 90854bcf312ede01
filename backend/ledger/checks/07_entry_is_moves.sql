-- each entry on a lot-kept account is the sum of its lots' moves
SELECT coalesce(e.member_id, m.member_id), format('transfer %s', coalesce(e.seq, m.seq))
FROM (SELECT member_id, seq, kind, ref, sum(amount) AS total
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2 AND kind NOT LIKE 'house.%' AND kind <> 'points_debt'
GROUP BY member_id, seq, kind, ref) e
FULL JOIN (SELECT m.member_id, m.seq, l.kind, l.ref, sum(m.amount) AS total
FROM ledger_lot_move m JOIN ledger_lot l USING (member_id, lot_id)
WHERE m.member_id >= $1 AND m.member_id < $2
GROUP BY m.member_id, m.seq, l.kind, l.ref) m USING (member_id, seq, kind, ref)
WHERE e.total IS DISTINCT
FROM m.total
