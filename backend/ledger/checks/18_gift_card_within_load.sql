-- a gift card never holds more than was loaded onto it, by its activation or when it took another's place
SELECT member_id, format('after transfer %s: %s of %s', seq, held, coalesce(loaded, 0))
FROM (SELECT e.member_id, e.seq, sum(e.amount) OVER w AS held,
    sum(e.amount) FILTER (WHERE t.kind IN ('gift_activation', 'gift_activation_undone', 'gift_move')) OVER w AS loaded
FROM ledger_entry e
JOIN ledger_transfer t USING (member_id, seq)
WHERE e.member_id >= $1 AND e.member_id < $2 AND e.kind = 'gift_card'
WINDOW w AS (PARTITION BY e.member_id ORDER BY e.seq)) x
WHERE held > coalesce(loaded, 0)
