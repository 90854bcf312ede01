-- what comes back is no more than went out, and comes at the cost at which it went
SELECT b.place_id, b.sku, format('%s: out %s for %s, back %s for %s', b.about, o.qty, o.cost, b.qty, b.cost)
  FROM (SELECT place_id, sku, about, sum(qty) AS qty, sum(cost_fen) AS cost, sum(qty - short) AS pieces FROM stock_movement
         WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4) AND about IS NOT NULL GROUP BY 1, 2, 3) b
  JOIN LATERAL (SELECT -sum(qty) AS qty, -sum(cost_fen) AS cost, sum(short - qty) AS pieces FROM stock_movement
                 WHERE document_id = b.about AND place_id = b.place_id AND sku = b.sku AND about IS NULL) o ON o.qty IS NOT NULL
 WHERE b.pieces > o.pieces OR b.cost <> CASE WHEN o.qty = 0 THEN 0 ELSE div(o.cost * least(b.qty, o.qty), o.qty) END
