-- each use of a pass took what its document says, an undone one in all nothing
SELECT d.member_id, format('use %s of pass %s: %s took %s uses and %s fen', d.id, d.body->>'pass_id', d.state,
    coalesce(-x.uses, 0), coalesce(-x.fen, 0))
FROM ledger_document d
LEFT JOIN LATERAL (SELECT sum(e.amount) FILTER (WHERE e.kind = 'service') AS uses,
    sum(e.amount) FILTER (WHERE e.kind = 'service_value') AS fen
FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq
    AND e.ref = d.body->>'pass_id'
WHERE t.member_id = d.member_id AND t.document_id = d.id) x ON true
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'pass_use' AND
    (coalesce(-x.uses, 0)::bigint, coalesce(-x.fen, 0)::bigint) <> CASE WHEN d.state = 'used' AND d.body ? 'uses_left'
    THEN ((d.body->>'qty')::bigint, (d.body->>'value_fen')::bigint) ELSE (0::bigint, 0::bigint) END
