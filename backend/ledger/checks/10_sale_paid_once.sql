-- each sale's stored tender is what its one transfer took, and one that did not go through took nothing
SELECT d.member_id, format('sale %s: %s', d.id, d.state)
FROM ledger_document d
LEFT JOIN LATERAL (SELECT sum(e.amount) AS taken, count(DISTINCT t.seq) AS n
FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.kind = 'stored'
WHERE t.member_id = d.member_id AND t.document_id = d.id AND t.kind = 'sale') x ON true
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'sale' AND (coalesce(-x.taken, 0) <> CASE WHEN d.state IN
    ('completed', 'partly_refunded', 'refunded') THEN coalesce((d.body->'paid'->>'stored')::bigint, 0) ELSE 0 END OR
    x.n > 1)
