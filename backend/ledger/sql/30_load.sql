-- The second door, for the owner only and offline: many members' plans, in order, through the first door.
CREATE OR REPLACE FUNCTION ledger_load(p_members bigint[], p_plans jsonb[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_head (member_id) SELECT DISTINCT unnest(p_members) ON CONFLICT DO NOTHING;
    FOR i IN 1 .. cardinality(p_members) LOOP
        PERFORM ledger_post(p_members[i], p_plans[i]);
    END LOOP;
    RETURN cardinality(p_members);
END $$;
