-- what an order takes of a member's and of gift cards is what its document says: held while it waits for WeChat, given back when it was closed
SELECT d.member_id, format('order %s: %s', d.id, d.state)
FROM ledger_document d
LEFT JOIN LATERAL (SELECT sum(e.amount) FILTER (WHERE e.kind = 'stored') AS stored,
    sum(e.amount) FILTER (WHERE e.kind = 'rebate') AS rebate,
    sum(e.amount) FILTER (WHERE e.kind = 'house.gift_clearing') AS drawn,
    sum(e.amount) FILTER (WHERE e.kind = 'house.order_held') AS held,
    sum(e.amount) FILTER (WHERE e.kind = 'house.order_points_held') AS points,
    sum(e.amount) FILTER (WHERE e.kind = 'house.coupon_cost') AS borne,
    sum(e.amount) FILTER (WHERE e.kind = 'house.psp_clearing') AS psp
FROM ledger_transfer t JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq
WHERE t.member_id = d.member_id AND t.document_id = d.id AND t.kind IN ('order', 'order_held', 'order_released')) x ON true
CROSS JOIN LATERAL (SELECT d.body->'paid' AS says, d.state = 'awaiting_payment' AS waits, d.state = 'closed' AS over) p
CROSS JOIN LATERAL (SELECT coalesce((says->>'stored')::bigint, 0) AS stored, coalesce((says->>'rebate')::bigint, 0) AS rebate,
    coalesce((says->>'gift_card')::bigint, 0) AS gift, coalesce((says->>'coupon')::bigint, 0) AS coupon,
    coalesce((says->>'wechat')::bigint, 0) AS wechat) s
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'order' AND (
    coalesce(-x.stored, 0) <> CASE WHEN over THEN 0 ELSE s.stored END
    OR coalesce(-x.rebate, 0) <> CASE WHEN over THEN 0 ELSE s.rebate END
    OR coalesce(-x.drawn, 0) <> CASE WHEN over THEN 0 ELSE s.gift END
    OR coalesce(x.held, 0) <> CASE WHEN waits THEN s.stored + s.rebate + s.gift ELSE 0 END
    OR (coalesce(x.points, 0) = 0) <> NOT (waits AND d.body->'tenders' @> '[{"type": "points"}]')
    OR coalesce(-x.borne, 0) <> CASE WHEN waits OR over THEN 0 ELSE s.coupon END
    OR coalesce(-x.psp, 0) <> CASE WHEN waits OR over THEN 0 ELSE s.wechat END)
