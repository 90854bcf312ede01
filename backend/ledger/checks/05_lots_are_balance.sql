-- open lots sum to the account they make up
SELECT member_id, format('%s: balance %s, lots %s',
    concat_ws(' ', kind, nullif(ref, '')), a.balance, l.total)
FROM (SELECT *
FROM ledger_account
WHERE member_id >= $1 AND member_id < $2 AND kind <> 'points_debt') a
FULL JOIN (SELECT member_id, kind, ref, sum(remaining) AS total
FROM ledger_lot
WHERE member_id >= $1 AND member_id < $2
GROUP BY member_id, kind, ref) l USING (member_id, kind, ref)
WHERE coalesce(a.balance, 0) <> coalesce(l.total, 0)
