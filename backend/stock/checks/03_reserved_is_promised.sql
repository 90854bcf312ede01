-- what is reserved is what orders were promised
SELECT coalesce(l.place_id, r.place_id), coalesce(l.sku, r.sku), format('reserved %s, promised %s', l.reserved, r.qty)
  FROM (SELECT * FROM stock_level WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4)) l
  FULL JOIN (SELECT place_id, sku, sum(qty) AS qty FROM stock_reservation
              WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4) GROUP BY 1, 2) r USING (place_id, sku)
 WHERE l.reserved IS DISTINCT FROM coalesce(r.qty, 0)
