-- each sale's stored, coupon and gift card tenders are what its one transfer took, and one not gone through took none
SELECT d.member_id, format('sale %s: %s', d.id, d.state)
FROM ledger_document d
LEFT JOIN LATERAL (SELECT sum(e.amount) FILTER (WHERE e.kind = 'stored') AS taken,
    sum(e.amount) FILTER (WHERE e.kind = 'house.coupon_cost') AS borne,
    sum(e.amount) FILTER (WHERE e.kind = 'house.gift_clearing') AS drawn, count(DISTINCT t.seq) AS n
FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq
    AND e.kind IN ('stored', 'house.coupon_cost', 'house.gift_clearing')
WHERE t.member_id = d.member_id AND t.document_id = d.id AND t.kind = 'sale') x ON true
CROSS JOIN LATERAL (SELECT CASE WHEN d.state IN ('completed', 'partly_refunded', 'refunded') THEN d.body->'paid' END
    AS paid) p
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'sale' AND (x.n > 1
    OR coalesce(-x.taken, 0) <> coalesce((p.paid->>'stored')::bigint, 0)
    OR coalesce(-x.borne, 0) <> coalesce((p.paid->>'coupon')::bigint, 0)
    OR coalesce(-x.drawn, 0) <> coalesce((p.paid->>'gift_card')::bigint, 0))
