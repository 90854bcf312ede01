-- each document is the one its transfers were made for
SELECT t.member_id, format('document %s', t.document_id)
FROM ledger_transfer t
LEFT JOIN ledger_document d ON d.member_id = t.member_id AND d.id = t.document_id
WHERE t.member_id >= $1 AND t.member_id < $2 AND t.digest <> '\x' AND (d.id IS NULL OR substring(t.digest
FROM 1 FOR 32) <> sha256(convert_to(d.body::text, 'UTF8')))
