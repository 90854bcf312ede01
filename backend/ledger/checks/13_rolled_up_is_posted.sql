-- no more transfers are counted into house accounts' sums than were posted
SELECT r.member_id, format('counted up to %s of %s', r.seq, coalesce(h.seq, 0))
FROM ledger_rolled r
LEFT JOIN ledger_head h USING (member_id)
WHERE r.member_id >= $1 AND r.member_id < $2 AND r.seq > coalesce(h.seq, 0)
