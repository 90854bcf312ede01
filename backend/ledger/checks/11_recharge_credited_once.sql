-- each paid recharge credited exactly what was paid and the bonus that was given with it, every other nothing
SELECT d.member_id, format('recharge %s: %s', d.id, d.state)
FROM ledger_document d
LEFT JOIN LATERAL (SELECT coalesce(sum(issued) FILTER (WHERE part = 'principal'), 0) AS principal,
    coalesce(sum(issued) FILTER (WHERE part = 'bonus'), 0) AS bonus
FROM ledger_lot l
WHERE l.member_id = d.member_id AND l.source = d.id) x ON true
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'recharge' AND (x.principal <> CASE WHEN d.state = 'paid'
    OR d.progress ? 'refunded_fen' THEN (d.body->>'pay_fen')::bigint ELSE 0 END OR x.bonus <> CASE WHEN d.state = 'paid'
    OR d.progress ? 'refunded_fen' THEN
    coalesce((d.progress->>'bonus_fen')::bigint, (d.body->>'bonus_fen')::bigint, 0) ELSE 0 END)
