-- what a posted document says is what moved, and nothing moved for one that is not posted
SELECT coalesce(d.place_id, m.place_id), coalesce(d.sku, m.sku), format('document %s: %s pieces, moved %s', coalesce(d.id, m.document_id), d.qty, m.qty)
  FROM (SELECT d.id, d.place_id, l.sku, l.qty, d.kind FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id
         WHERE d.kind IN ('receipt', 'purchase_return', 'wholesale', 'transfer') AND (d.state IN ('posted', 'shipped') OR d.kind = 'transfer' AND d.state = 'submitted')
           AND (d.place_id, l.sku) >= ($1, $2) AND (d.place_id, l.sku) < ($3, $4)
        UNION ALL
        SELECT d.id, d.other_place_id, l.sku, l.done_qty, 'arrival' FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id
         WHERE d.kind = 'transfer' AND d.state IN ('posted', 'submitted') AND l.done_qty > 0
           AND (d.other_place_id, l.sku) >= ($1, $2) AND (d.other_place_id, l.sku) < ($3, $4)) d
  FULL JOIN (SELECT m.document_id, m.place_id, m.sku, abs(m.qty) AS qty,
                    CASE m.kind WHEN 'transfer_out' THEN 'transfer' WHEN 'transfer_in' THEN 'arrival' ELSE m.kind END AS kind
               FROM stock_movement m JOIN stock_document s ON s.id = m.document_id
              WHERE m.kind NOT IN ('stocktake', 'shortage') AND (m.place_id, m.sku) >= ($1, $2) AND (m.place_id, m.sku) < ($3, $4)) m
    ON m.document_id = d.id AND m.place_id = d.place_id AND m.sku = d.sku AND m.kind = d.kind
 WHERE d.qty IS DISTINCT FROM m.qty
