-- House accounts have entries only, so that no row is hot; their sums by day are kept here. A member's transfers are numbered
-- without gaps and become visible in that order, so "counted up to number n" misses none, however late it was committed.

-- Counts what members after `p_after` have posted since they were counted last, of `p_members` of them at most; returns the last
-- of these, or nothing when there is no more. One run at a time; a run that is cut short has counted whole batches.
CREATE OR REPLACE FUNCTION ledger_roll_up(p_zone text, p_after bigint, p_members integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_members bigint[];
    v_from    bigint[];
    v_to      bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('ledger_roll_up')), set_config('plan_cache_mode', 'force_custom_plan', true);
    SELECT array_agg(member_id), array_agg(since), array_agg(seq) INTO v_members, v_from, v_to
      FROM (SELECT h.member_id, coalesce(r.seq, 0) AS since, h.seq
              FROM ledger_head h LEFT JOIN ledger_rolled r ON r.member_id = h.member_id AND r.zone = p_zone AND r.member_id > p_after
             WHERE h.member_id > p_after AND h.seq > coalesce(r.seq, 0) ORDER BY h.member_id LIMIT p_members) due;
    INSERT INTO ledger_rollup AS r (zone, day, kind, ref, unit, amount, entries)
    SELECT p_zone, (e.at AT TIME ZONE p_zone)::date AS day, e.kind, e.ref, e.unit, sum(e.amount), count(*)
      FROM unnest(v_members, v_from, v_to) AS due (member_id, since, seq)
      JOIN ledger_transfer t ON t.member_id = due.member_id AND t.seq > due.since AND t.seq <= due.seq
      JOIN ledger_entry e ON e.member_id = t.member_id AND e.seq = t.seq AND e.at = t.at AND starts_with(e.kind, 'house.')
     GROUP BY 2, 3, 4, 5 ORDER BY 2, 3, 4, 5
    ON CONFLICT (zone, day, kind, ref, unit)
    DO UPDATE SET amount = r.amount + EXCLUDED.amount, entries = r.entries + EXCLUDED.entries;
    INSERT INTO ledger_rolled (member_id, zone, seq)
    SELECT member_id, p_zone, seq FROM unnest(v_members, v_to) AS due (member_id, seq)
    ON CONFLICT (member_id, zone) DO UPDATE SET seq = EXCLUDED.seq;
    RETURN v_members[cardinality(v_members)];
END $$;
