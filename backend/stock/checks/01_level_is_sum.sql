-- what lies there, what is short and what it is worth is the sum of the movements, and as many as the version says
SELECT coalesce(l.place_id, m.place_id), coalesce(l.sku, m.sku),
       format('level (%s, %s, %s, %s), movements (%s, %s, %s, %s)', l.on_hand, l.short, l.value_fen, l.version, m.qty, m.short, m.cost, m.n)
  FROM (SELECT * FROM stock_level WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4)) l
  FULL JOIN (SELECT place_id, sku, sum(qty) AS qty, sum(short) AS short, sum(cost_fen) AS cost, count(*) AS n FROM stock_movement
              WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4) GROUP BY 1, 2) m USING (place_id, sku)
 WHERE (l.on_hand, l.short, l.value_fen, l.version)
       IS DISTINCT FROM (coalesce(m.qty, 0), coalesce(m.short, 0), coalesce(m.cost, 0), coalesce(m.n, 0))
