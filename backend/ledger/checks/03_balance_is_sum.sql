-- each balance is the sum of its entries, all in its unit, and its last balance_after
SELECT member_id, format('%s: balance %s, entries %s, last %s',
    concat_ws(' ', kind, nullif(ref, '')), a.balance, e.total, e.last)
FROM (SELECT *
FROM ledger_account
WHERE member_id >= $1 AND member_id < $2) a
FULL JOIN (SELECT member_id, kind, ref, sum(amount) AS total, count(*) AS n, max(version) AS version,
    min(unit) AS unit, max(unit) AS other,
    (array_agg(balance_after ORDER BY version DESC))[1] AS last
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2 AND kind NOT LIKE 'house.%'
GROUP BY member_id, kind, ref) e USING (member_id, kind, ref)
WHERE a.balance IS DISTINCT
FROM e.total OR a.balance IS DISTINCT
FROM e.last OR a.version IS DISTINCT
FROM e.version OR e.n IS DISTINCT
FROM e.version OR a.unit <> e.unit OR a.unit <> e.other
