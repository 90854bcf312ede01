-- every transfer has entries, every entry a transfer of the same instant
SELECT coalesce(t.member_id, e.member_id), format('transfer %s', coalesce(t.seq, e.seq))
FROM (SELECT member_id, seq, at
FROM ledger_transfer
WHERE member_id >= $1 AND member_id < $2) t
FULL JOIN (SELECT DISTINCT member_id, seq, at
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2) e USING (member_id, seq, at)
WHERE t.seq IS NULL OR e.seq IS NULL
