-- what a posted count found, with what moved since it was found, is what the books say after it
SELECT m.place_id, m.sku, format('count %s: after it %s and %s short, found %s and moved %s', m.document_id, m.on_hand_after, m.short_after, l.qty, s.moved)
  FROM stock_movement m
  LEFT JOIN stock_document d ON d.id = m.document_id AND d.kind = 'stocktake' AND d.state = 'posted' AND d.place_id = m.place_id
  LEFT JOIN stock_document_line l ON l.document_id = d.id AND l.sku = m.sku
  LEFT JOIN LATERAL (SELECT coalesce(sum(b.qty - b.short), 0) AS moved FROM stock_movement b
                      WHERE b.place_id = m.place_id AND b.sku = m.sku AND b.version > l.seen AND b.version < m.version) s ON true
 WHERE m.kind = 'stocktake' AND (m.place_id, m.sku) >= ($1, $2) AND (m.place_id, m.sku) < ($3, $4)
   AND (m.on_hand_after - m.short_after) IS DISTINCT FROM (l.qty + s.moved)
