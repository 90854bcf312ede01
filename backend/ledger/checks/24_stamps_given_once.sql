-- a source is given stamps once in a campaign, no more are taken back than that, and a reward's coupon was issued;
-- what was given to who was merged since is taken back of whom they were merged into
SELECT member_id, format('campaign %s, %s: %s given in %s transfers, %s taken back', ref, source, given, times, taken)
FROM (SELECT e.member_id, e.ref, t.document_id AS source,
    count(*) FILTER (WHERE t.kind = 'stamps_given') AS times,
    coalesce(-sum(e.amount) FILTER (WHERE t.kind = 'stamps_given' AND e.kind = 'house.stamps_issued'), 0) AS given,
    coalesce(sum(CASE e.kind WHEN 'stamps' THEN -e.amount ELSE e.amount END)
        FILTER (WHERE t.kind = 'stamps_taken' AND e.kind IN ('stamps', 'stamps_owed')), 0) AS taken
FROM ledger_entry e
JOIN ledger_transfer t USING (member_id, seq)
WHERE e.member_id >= $1 AND e.member_id < $2
    AND ((t.kind = 'stamps_given' AND e.kind = 'house.stamps_issued')
        OR (t.kind = 'stamps_taken' AND e.kind IN ('stamps', 'stamps_owed')))
GROUP BY e.member_id, e.ref, t.document_id) s
WHERE (times <> 1 OR taken > given) AND (times <> 0 OR taken > (
    SELECT coalesce(sum(CASE e.kind WHEN 'stamps_owed' THEN -e.amount WHEN 'stamps' THEN e.amount ELSE -e.amount END), 0)
    FROM ledger_head h
    JOIN ledger_transfer t ON t.member_id = h.member_id AND t.document_id = s.source
    JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.ref = s.ref
    WHERE h.merged
        AND ((t.kind = 'stamps_given' AND e.kind = 'house.stamps_issued')
            OR (t.kind = 'stamps_taken' AND e.kind IN ('stamps', 'stamps_owed')))))
UNION ALL
SELECT t.member_id, format('transfer %s: stamps became coupon %s, which was not issued', t.seq, t.document_id)
FROM ledger_transfer t
WHERE t.member_id >= $1 AND t.member_id < $2 AND t.kind = 'stamps_redeemed' AND NOT EXISTS (
    SELECT FROM ledger_account a WHERE a.member_id = t.member_id AND a.kind = 'coupon' AND a.ref = t.document_id)
