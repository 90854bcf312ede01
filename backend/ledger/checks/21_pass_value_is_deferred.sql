-- each paid sale deferred what its passes say, and a pass that is good for nothing more holds no value
SELECT d.member_id, format('sale %s deferred %s of %s', d.id, coalesce(x.deferred, 0), p.paid)
FROM ledger_document d
CROSS JOIN LATERAL (SELECT sum((s->>'paid_fen')::bigint)::bigint AS paid,
    sum(coalesce((s->>'uses')::bigint, 1))::bigint AS uses
FROM jsonb_array_elements(d.body->'passes') s) p
LEFT JOIN LATERAL (SELECT sum(e.amount) FILTER (WHERE e.kind = 'service_value') AS deferred,
    sum(e.amount) FILTER (WHERE e.kind = 'service') AS uses
FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq
WHERE t.member_id = d.member_id AND t.document_id = d.id AND t.kind = 'sale') x ON true
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'sale' AND d.body ? 'passes'
    AND (coalesce(x.deferred, 0)::bigint, coalesce(x.uses, 0)::bigint) <> CASE
    WHEN d.state IN ('completed', 'partly_refunded', 'refunded') THEN (p.paid, p.uses) ELSE (0::bigint, 0::bigint) END
UNION ALL
SELECT v.member_id, format('pass %s holds %s fen and no use', v.ref, v.balance)
FROM ledger_account v
LEFT JOIN ledger_account s ON s.member_id = v.member_id AND s.kind = 'service' AND s.ref = v.ref
WHERE v.member_id >= $1 AND v.member_id < $2 AND v.kind = 'service_value' AND v.balance > 0
    AND coalesce(s.balance, 0) = 0
