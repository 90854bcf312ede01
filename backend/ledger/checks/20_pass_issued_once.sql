-- each pass is one lot of uses and at most one of value for all of its life, both of one product's version
SELECT a.member_id, format('pass %s: %s lots of uses, %s of value', a.ref, x.services, x.values)
FROM ledger_account a
CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE l.kind = 'service') AS services,
    count(*) FILTER (WHERE l.kind = 'service_value') AS values, count(DISTINCT l.part) AS parts
FROM ledger_lot l
WHERE l.member_id = a.member_id AND l.source = a.ref AND l.ref = a.ref) x
WHERE a.member_id >= $1 AND a.member_id < $2 AND a.kind IN ('service', 'service_value')
    AND (x.services <> 1 OR x.values > 1 OR x.parts <> 1)
