-- what leaves takes its part of the value, rounded down; the last piece takes the rest
SELECT place_id, sku, format('movement %s: %s of %s pieces worth %s took %s', version, -qty, on_hand_after - qty, value_after - cost_fen, -cost_fen)
  FROM stock_movement
 WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4) AND qty <= 0
   AND -cost_fen <> CASE WHEN qty = 0 THEN 0 ELSE div((value_after - cost_fen)::numeric * -qty, on_hand_after - qty) END
