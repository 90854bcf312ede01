-- what a document's lines cost is what they moved, its amounts are its prices, and its total is the sum of them
SELECT d.place_id, l.sku, format('document %s, line %s: %s × %s is %s; cost %s, moved for %s; total %s', d.id, l.line_no, l.qty, l.unit_fen, l.amount_fen,
                                 l.cost_fen, m.cost, d.total_fen)
  FROM stock_document d JOIN stock_document_line l ON l.document_id = d.id
  LEFT JOIN LATERAL (SELECT abs(m.cost_fen) AS cost FROM stock_movement m WHERE m.document_id = d.id AND m.place_id = d.place_id AND m.sku = l.sku
                        AND m.kind <> 'shortage') m ON true
  LEFT JOIN LATERAL (SELECT a.cost_fen AS cost FROM stock_movement a WHERE a.document_id = d.id AND a.place_id = d.other_place_id AND a.sku = l.sku
                        AND a.kind = 'transfer_in') a ON true
 WHERE (d.place_id, l.sku) >= ($1, $2) AND (d.place_id, l.sku) < ($3, $4)
   AND ((d.kind <> 'stocktake' AND l.amount_fen <> l.qty * l.unit_fen)
        OR (d.kind = 'receipt' AND m.cost IS NOT NULL AND m.cost <> l.amount_fen)
        OR l.cost_fen IS DISTINCT FROM m.cost
        OR a.cost <> div(l.cost_fen::numeric * l.done_qty, nullif(l.qty, 0))
        OR (d.kind <> 'stocktake' AND l.line_no = 1
            AND d.total_fen <> (SELECT sum(t.amount_fen) FROM stock_document_line t WHERE t.document_id = d.id)))
