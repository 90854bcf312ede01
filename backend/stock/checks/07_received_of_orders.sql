-- what has come of a purchase order is what its receipts say
SELECT d.place_id, l.sku, format('order %s: %s of %s have come, receipts say %s', d.id, l.done_qty, l.qty, coalesce(r.qty, 0))
  FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id
  LEFT JOIN LATERAL (SELECT sum(rl.qty) AS qty FROM stock_document r JOIN stock_document_line rl ON rl.document_id = r.id AND rl.sku = l.sku
                      WHERE r.about = d.id AND r.kind = 'receipt') r ON true
 WHERE d.kind = 'purchase_order' AND (d.place_id, l.sku) >= ($1, $2) AND (d.place_id, l.sku) < ($3, $4)
   AND (l.done_qty <> coalesce(r.qty, 0) OR l.done_qty > l.qty)
