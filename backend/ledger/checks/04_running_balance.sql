-- each balance_after is the one before plus the amount, never negative, numbered without gaps
SELECT member_id, format('%s version %s', concat_ws(' ', kind, nullif(ref, '')), version)
FROM (SELECT member_id, kind, ref, version, amount, balance_after, lag(balance_after, 1, 0::bigint) OVER w AS before,
    lag(version, 1, 0::bigint) OVER w AS previous
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2 AND kind NOT LIKE 'house.%'
WINDOW w AS (PARTITION BY member_id, kind, ref ORDER BY version)) e
WHERE balance_after <> before + amount OR balance_after < 0 OR version <> previous + 1
