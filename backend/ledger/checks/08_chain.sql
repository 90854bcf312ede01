-- every transfer's hash is right, follows the one before, and the head is the last
WITH body AS (SELECT member_id, seq, string_agg(concat_ws(':', kind, ref, unit, amount, coalesce(version, 0),
    coalesce(balance_after, 0)) || ';', '' ORDER BY leg) AS entries
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2
GROUP BY member_id, seq), lots AS (SELECT member_id, seq, string_agg(lot_id || ':' || amount || ';', '' ORDER BY
    lot_id) AS moves
FROM ledger_lot_move
WHERE member_id >= $1 AND member_id < $2
GROUP BY member_id, seq), chain AS (SELECT t.*, lag(hash, 1, '\x'::bytea) OVER w AS previous, lag(seq, 1, 0::bigint)
    OVER w AS before, lead(seq) OVER w AS next
FROM ledger_transfer t
WHERE member_id >= $1 AND member_id < $2
WINDOW w AS (PARTITION BY member_id ORDER BY seq)) SELECT member_id, format('transfer %s', chain.seq)
FROM chain
LEFT JOIN body USING (member_id, seq)
LEFT JOIN lots USING (member_id, seq)
LEFT JOIN ledger_head h USING (member_id)
WHERE chain.seq <> before + 1 OR chain.hash <> ledger_hash(member_id, chain.seq, chain.kind, document_id, reverses,
    at, digest, coalesce(entries, '') || '|' || coalesce(moves, ''), previous) OR (next IS NULL AND (h.seq IS
    DISTINCT
FROM chain.seq OR h.hash IS DISTINCT
FROM chain.hash))
UNION ALL SELECT member_id, format('head at %s, no transfers', seq)
FROM ledger_head h
WHERE member_id >= $1 AND member_id < $2 AND seq > 0 AND NOT EXISTS (SELECT
FROM ledger_transfer t
WHERE t.member_id = h.member_id)
