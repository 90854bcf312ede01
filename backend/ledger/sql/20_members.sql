-- Service calls of the layers above: they open a member's books and put status where the door sees it.

CREATE OR REPLACE FUNCTION ledger_open_member(p_member bigint, p_active boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO ledger_head (member_id, active) VALUES (p_member, p_active) ON CONFLICT DO NOTHING;
$$;

CREATE OR REPLACE FUNCTION ledger_set_active(p_member bigint, p_active boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE ledger_head SET active = p_active WHERE member_id = p_member;
$$;

-- Nothing of the member's moves until the caller's transaction ends, whatever the caller reads meanwhile.
CREATE OR REPLACE FUNCTION ledger_hold(p_member bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ledger_head WHERE member_id = p_member FOR UPDATE;
END $$;

-- For good: whatever is still posted to these books says so (MergedBooksMoved), and is passed on.
CREATE OR REPLACE FUNCTION ledger_set_merged(p_member bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE ledger_head SET active = false, merged = true WHERE member_id = p_member;
$$;

-- What one member may do once or so often, counts what the other did before both became one: marks and counters are added
-- up (of a mark it only matters whether it is there), the marks of devices stand for themselves. Returns how many it were.
CREATE OR REPLACE FUNCTION ledger_carry_guards(p_from bigint, p_to bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM 1 FROM ledger_head WHERE member_id IN (p_from, p_to) ORDER BY member_id FOR UPDATE;
    INSERT INTO ledger_guard AS g (member_id, name, value, expires_at)
    SELECT p_to, name, value, expires_at FROM ledger_guard WHERE member_id = p_from
    ON CONFLICT (member_id, name) DO UPDATE SET value = g.value + EXCLUDED.value,
        expires_at = CASE WHEN g.expires_at IS NULL OR EXCLUDED.expires_at IS NULL THEN NULL
                          ELSE greatest(g.expires_at, EXCLUDED.expires_at) END;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- What was answered to a member's own requests, answers the other's too once both became one: their phone asks again with
-- the keys it has. `carried` tells these from what the other asked; a key that both used stays each one's. Returns how many.
CREATE OR REPLACE FUNCTION ledger_carry_keys(p_from bigint, p_from_scope text, p_to bigint, p_to_scope text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM 1 FROM ledger_head WHERE member_id IN (p_from, p_to) ORDER BY member_id FOR UPDATE;
    WITH free AS (
        INSERT INTO ledger_key_home (scope, key, member_id, document_id)
        SELECT p_to_scope, key, p_to, document_id FROM ledger_key WHERE member_id = p_from AND scope = p_from_scope ORDER BY key
        ON CONFLICT DO NOTHING RETURNING key
    )
    INSERT INTO ledger_key (member_id, scope, key, hash, document_id, result, at)
    SELECT p_to, p_to_scope, key, hash, document_id, result || '{"carried": true}', at
      FROM ledger_key JOIN free USING (key) WHERE member_id = p_from AND scope = p_from_scope;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;

-- Monotonic: a guard only ever grows (a device's last step; the largest step there is revokes it).
CREATE OR REPLACE FUNCTION ledger_raise_guard(p_member bigint, p_name text, p_value bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ledger_head WHERE member_id = p_member FOR UPDATE;
    INSERT INTO ledger_guard AS g (member_id, name, value) VALUES (p_member, p_name, p_value)
    ON CONFLICT (member_id, name) DO UPDATE SET value = EXCLUDED.value WHERE g.value < EXCLUDED.value;
    RETURN FOUND;
END $$;

-- One-time marks and day counters are of no use after their day; monotonic marks have no expiry and stay.
CREATE OR REPLACE FUNCTION ledger_sweep_guards(p_before timestamptz, p_limit integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH gone AS (
        DELETE FROM ledger_guard g USING (
            SELECT member_id, name FROM ledger_guard WHERE expires_at < p_before LIMIT p_limit
        ) old WHERE g.member_id = old.member_id AND g.name = old.name RETURNING 1
    ) SELECT count(*) FROM gone;
$$;
