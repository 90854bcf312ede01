-- what a campaign gave a member, and a merge brought or took, is what is held, became rewards, expired, was taken back, less what is owed for that
SELECT member_id, format('campaign %s: %s given, %s held, %s owed, %s redeemed, %s expired, %s clawed back, %s receivable',
    ref, given, held, owed, redeemed, expired, clawed, receivable)
FROM (SELECT member_id, ref,
    coalesce(-sum(amount) FILTER (WHERE kind IN ('house.stamps_issued', 'house.stamps_merged')), 0) AS given,
    coalesce(sum(amount) FILTER (WHERE kind = 'stamps'), 0) AS held,
    coalesce(sum(amount) FILTER (WHERE kind = 'stamps_owed'), 0) AS owed,
    coalesce(sum(amount) FILTER (WHERE kind = 'house.stamps_redeemed'), 0) AS redeemed,
    coalesce(sum(amount) FILTER (WHERE kind = 'house.stamps_expired'), 0) AS expired,
    coalesce(sum(amount) FILTER (WHERE kind = 'house.stamps_clawed'), 0) AS clawed,
    coalesce(-sum(amount) FILTER (WHERE kind = 'house.stamps_receivable'), 0) AS receivable
FROM ledger_entry
WHERE member_id >= $1 AND member_id < $2
    AND kind IN ('stamps', 'stamps_owed', 'house.stamps_issued', 'house.stamps_merged', 'house.stamps_redeemed',
        'house.stamps_expired', 'house.stamps_clawed', 'house.stamps_receivable')
GROUP BY member_id, ref) s
WHERE given <> held + redeemed + expired + clawed OR owed <> receivable OR (held > 0 AND owed > 0)
