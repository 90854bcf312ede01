-- what is held for orders is what the orders that wait for WeChat hold
SELECT member_id, format('%s fen and %s points are held, open orders hold %s and %s', h.fen, h.points, o.fen, o.points)
FROM (SELECT member_id, coalesce(sum(amount) FILTER (WHERE kind = 'house.order_held'), 0) AS fen,
    coalesce(sum(amount) FILTER (WHERE kind = 'house.order_points_held'), 0) AS points
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2 AND kind IN ('house.order_held', 'house.order_points_held')
GROUP BY member_id) h
FULL JOIN (SELECT d.member_id,
    sum((SELECT coalesce(sum(fen::bigint), 0) FROM jsonb_each_text(d.body->'paid') p (tender, fen)
        WHERE tender IN ('stored', 'rebate', 'gift_card'))) AS fen,
    coalesce(sum((SELECT sum((t->>'points')::bigint) FROM jsonb_array_elements(d.body->'tenders') t
        WHERE t->>'type' = 'points')), 0) AS points
FROM ledger_document d
WHERE d.member_id >= $1 AND d.member_id < $2 AND d.kind = 'order' AND d.state = 'awaiting_payment'
GROUP BY d.member_id) o USING (member_id)
WHERE (coalesce(h.fen, 0), coalesce(h.points, 0)) <> (coalesce(o.fen, 0), coalesce(o.points, 0))
