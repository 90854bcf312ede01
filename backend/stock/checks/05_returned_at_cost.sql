-- what comes back is no more than went out, and comes at the cost at which it went; at the average, where its shortage was settled before
SELECT b.place_id, b.sku, format('%s, return %s: out %s for %s, back before %s for %s, now %s of %s for %s', b.about, b.version, o.qty, o.cost, b.before, b.cost_before,
                                 b.qty, b.pieces, b.cost_fen)
  FROM (SELECT *, qty - short AS pieces, coalesce(sum(qty) OVER earlier, 0) AS before, coalesce(sum(cost_fen) OVER earlier, 0) AS cost_before,
               coalesce(sum(qty - short) OVER earlier, 0) AS pieces_before
          FROM stock_movement WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4) AND about IS NOT NULL
        WINDOW earlier AS (PARTITION BY place_id, sku, about ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) b
  JOIN LATERAL (SELECT -sum(qty) AS qty, -sum(cost_fen) AS cost, sum(short - qty) AS pieces FROM stock_movement
                 WHERE document_id = b.about AND place_id = b.place_id AND sku = b.sku AND about IS NULL) o ON o.qty IS NOT NULL
  CROSS JOIN LATERAL (SELECT least(b.pieces, greatest(0, o.qty - b.before)) AS known) k
 WHERE b.pieces_before + b.pieces > o.pieces
    OR b.cost_fen <> CASE WHEN k.known > 0 THEN div(o.cost * (b.before + k.known), o.qty) - b.cost_before ELSE 0 END
                   + CASE WHEN b.qty > k.known AND b.on_hand_after > b.qty
                          THEN div((b.value_after - b.cost_fen)::numeric * (b.qty - k.known), b.on_hand_after - b.qty) ELSE 0 END
