-- each gift card is loaded by one activation, and by another only after that was undone
SELECT member_id, format('transfer %s: loaded %s times', seq, loaded)
FROM (SELECT member_id, seq, sum(CASE kind WHEN 'gift_activation' THEN 1 ELSE -1 END)
    OVER (PARTITION BY member_id ORDER BY seq) AS loaded
FROM ledger_transfer
WHERE member_id >= $1 AND member_id < $2 AND kind IN ('gift_activation', 'gift_activation_undone')) t
WHERE loaded NOT BETWEEN 0 AND 1
