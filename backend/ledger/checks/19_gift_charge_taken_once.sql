-- each charge took from its gift card once what it says, and its refunds gave back what it counts, at most as much
SELECT d.member_id, format('charge %s: took %s, gave back %s', d.id, x.taken, x.back)
FROM ledger_document d
LEFT JOIN LATERAL (SELECT coalesce(-sum(e.amount) FILTER (WHERE t.document_id = d.id), 0) AS taken,
    coalesce(sum(e.amount) FILTER (WHERE t.document_id <> d.id), 0) AS back
FROM ledger_transfer s
JOIN ledger_transfer t ON t.member_id = s.member_id AND (t.document_id = d.id OR t.reverses = s.seq)
JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.kind = 'gift_card'
WHERE s.member_id = d.member_id AND s.document_id = d.id AND s.kind = 'gift_charge') x ON true
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'gift_charge'
    AND (x.taken <> (d.body->>'amount_fen')::bigint OR x.back <> (d.progress->>'refunded_fen')::bigint
    OR x.back > x.taken)
