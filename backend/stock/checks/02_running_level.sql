-- movements are numbered without gaps, and each says what lies there after it, never less than nothing
SELECT place_id, sku, format('movement %s: after it %s, %s, %s', version, on_hand_after, short_after, value_after)
  FROM (SELECT *, row_number() OVER level AS n, sum(qty) OVER level AS on_hand, sum(short) OVER level AS shorted, sum(cost_fen) OVER level AS value
          FROM stock_movement WHERE (place_id, sku) >= ($1, $2) AND (place_id, sku) < ($3, $4)
        WINDOW level AS (PARTITION BY place_id, sku ORDER BY version)) m
 WHERE version <> n OR (on_hand_after, short_after, value_after) IS DISTINCT FROM (on_hand, shorted, value)
    OR least(on_hand_after, short_after, value_after) < 0 OR (on_hand_after = 0 AND value_after <> 0)
