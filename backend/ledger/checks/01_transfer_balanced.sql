-- every transfer sums to zero in each unit
SELECT member_id, format('transfer %s: %s %s', seq, sum(amount), unit)
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2
GROUP BY member_id, seq, unit HAVING sum(amount) <> 0
