-- The second door, for the owner only and offline: many members' plans at once, set by set instead of plan by plan. It leaves
-- the rows that ledger_post would have left, hashes included. A plan that ledger_post would refuse refuses them all.

-- Plans and legs as rows of load_plan and load_leg. `n` numbers the plans member by member, in the order given; a plan that
-- was loaded before is left out, as ledger_post would only have answered it.
CREATE OR REPLACE FUNCTION ledger_load_stage(p_members bigint[], p_plans jsonb[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    CREATE TEMP TABLE load_plan ON COMMIT DROP AS
    WITH given AS (
        SELECT g.member_id, g.nth, g.plan, g.plan->>'scope' AS scope, g.plan->>'key' AS key, decode(g.plan->>'hash', 'hex') AS hash,
               coalesce(jsonb_array_length(g.plan->'legs'), 0) > 0 AS moves
          FROM unnest(p_members, p_plans) WITH ORDINALITY AS g (member_id, plan, nth)
    ), judged AS (
        SELECT g.*, k.hash IS NULL AND row_number() OVER same = 1 AS fresh,
               g.hash <> coalesce(k.hash, first_value(g.hash) OVER same) AS conflicts
          FROM given g LEFT JOIN ledger_key k USING (member_id, scope, key)
        WINDOW same AS (PARTITION BY g.member_id, g.scope, g.key ORDER BY g.nth)
    )
    SELECT row_number() OVER (ORDER BY member_id, nth) AS n, member_id, plan, scope, key, j.hash, conflicts,
           plan->>'kind' AS kind, (plan->>'at')::timestamptz AS at, (plan->>'on')::date AS on_day,
           coalesce(plan->'document'->>'id', plan->>'about') AS document_id,
           CASE WHEN plan ? 'document' THEN sha256(convert_to((plan->'document'->'body')::text, 'UTF8')) ELSE '\x' END AS digest,
           (plan->>'active')::boolean AND NOT h.active AS inactive, (plan->>'v')::int IS DISTINCT FROM 1 AS invalid,
           CASE WHEN moves THEN h.seq + sum(moves::int) OVER (PARTITION BY member_id ORDER BY nth) END AS seq
      FROM judged j JOIN ledger_head h USING (member_id) WHERE fresh OR conflicts;
    PERFORM ledger_refuse(CASE WHEN invalid THEN 'plan_invalid' WHEN conflicts THEN 'idempotency_conflict' ELSE 'member_inactive' END,
                          jsonb_build_object('key', key))
       FROM load_plan WHERE invalid OR conflicts OR inactive ORDER BY n LIMIT 1;
    ANALYZE load_plan (n, member_id);

    CREATE TEMP TABLE load_leg ON COMMIT DROP AS
    WITH legs AS (
        SELECT p.n, l.leg, p.member_id, p.seq, p.at, p.on_day, p.key, l.said, l.said->>'account' AS kind,
               coalesce(l.said->>'ref', '') AS ref, l.said->>'unit' AS unit, (l.said->>'amount')::bigint AS amount,
               NOT starts_with(l.said->>'account', 'house.') AS held
          FROM load_plan p, jsonb_array_elements(p.plan->'legs') WITH ORDINALITY AS l (said, leg)
    )
    SELECT legs.*, held AND kind <> 'points_debt' AS in_lots, first_value(coalesce(a.unit, legs.unit)) OVER account AS kept_in,
           CASE WHEN held THEN coalesce(a.version, 0) + row_number() OVER account END AS version,
           CASE WHEN held THEN (coalesce(a.balance, 0) + sum(amount) OVER account)::bigint END AS balance_after
      FROM legs LEFT JOIN ledger_account a USING (member_id, kind, ref)
    WINDOW account AS (PARTITION BY member_id, kind, ref ORDER BY n, leg);
    PERFORM ledger_refuse(CASE WHEN balance_after < 0 THEN 'insufficient_balance' ELSE 'plan_invalid' END,
                          jsonb_build_object('key', key, 'account', kind, 'ref', ref))
       FROM load_leg
      WHERE amount = 0 OR abs(amount) > 100000000000 OR unit NOT IN ('fen', 'points', 'uses') OR balance_after < 0 OR (held AND unit <> kept_in)
      ORDER BY n, leg LIMIT 1;
    PERFORM ledger_refuse('plan_invalid', jsonb_build_object('key', min(key), 'why', 'legs do not sum to zero'))
       FROM load_leg GROUP BY n, unit HAVING sum(amount) <> 0 LIMIT 1;
    ANALYZE load_leg (n, member_id);
END $$;

-- Which lots each leg moves, as rows of load_move, and the lots themselves as rows of load_lot. Account by account: its lots
-- in the order they are spent, those that are still to be issued among them, empty until their turn.
CREATE OR REPLACE FUNCTION ledger_load_lots() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_account record;
    v_whose   jsonb;
    v_lots    bigint[];
    v_left    bigint[];
    v_issued  bigint[];
    v_expires date[];
    v_first   integer;
    v_at      integer;
    v_need    bigint;
    v_take    bigint;
    o_step    bigint[] := '{}';
    o_lot     bigint[] := '{}';
    o_amount  bigint[] := '{}';
BEGIN
    -- A step is a lot that the plan names, a lot that it issues, or (without a lot) what is to be taken in order.
    CREATE TEMP TABLE load_step ON COMMIT DROP AS
    WITH steps AS (
        SELECT n, leg, nth, member_id, kind, ref, on_day, (lot->>0)::bigint AS lot_id, (lot->>1)::bigint AS amount, NULL::jsonb AS issue
          FROM load_leg, jsonb_array_elements(said->'lots') WITH ORDINALITY AS l (lot, nth) WHERE in_lots
        UNION ALL
        SELECT n, leg, 0, member_id, kind, ref, on_day, NULL, amount, NULL FROM load_leg WHERE in_lots AND amount < 0 AND NOT said ? 'lots'
        UNION ALL
        SELECT n, leg, 1000 + nth, member_id, kind, ref, on_day,
               h.lots + row_number() OVER (PARTITION BY member_id ORDER BY n, leg, nth), (issue->>'amount')::bigint, issue
          FROM load_leg JOIN ledger_head h USING (member_id), jsonb_array_elements(said->'issue') WITH ORDINALITY AS i (issue, nth)
         WHERE in_lots
    ) SELECT row_number() OVER (ORDER BY n, leg, nth) AS step, * FROM steps;
    CREATE TEMP TABLE load_lot ON COMMIT DROP AS
    SELECT s.member_id, s.lot_id, s.kind, s.ref, s.issue->>'part' AS part,
           coalesce(s.issue->>'source', p.document_id, p.key) AS source, s.amount AS issued, 0::bigint AS remaining,
           (s.issue->>'expires_on')::date AS expires_on, (s.issue->>'matures_on')::date AS matures_on, p.at AS issued_at,
           coalesce((s.issue->>'rank')::smallint, 0) AS rank, true AS fresh
      FROM load_step s JOIN load_plan p USING (n) WHERE s.issue IS NOT NULL
    UNION ALL
    SELECT l.member_id, l.lot_id, l.kind, l.ref, l.part, l.source, l.issued, l.remaining, l.expires_on, l.matures_on, l.issued_at, l.rank, false
      FROM ledger_lot l JOIN (SELECT DISTINCT member_id, kind, ref FROM load_step) a USING (member_id, kind, ref);
    ANALYZE load_step (n, step, member_id);
    ANALYZE load_lot (member_id, lot_id);

    FOR v_account IN
        SELECT member_id, s.kind, ref, s.steps, s.lots, s.amounts, s.days, l.ids, l.remaining, l.issued, l.expires
          FROM (SELECT member_id, kind, ref, array_agg(step ORDER BY step) AS steps, array_agg(lot_id ORDER BY step) AS lots,
                       array_agg(amount ORDER BY step) AS amounts, array_agg(on_day ORDER BY step) AS days
                  FROM load_step GROUP BY member_id, kind, ref) s
          LEFT JOIN (SELECT member_id, kind, ref, array_agg(lot_id ORDER BY rank, expires_on, lot_id) AS ids,
                            array_agg(remaining ORDER BY rank, expires_on, lot_id) AS remaining,
                            array_agg(issued ORDER BY rank, expires_on, lot_id) AS issued,
                            array_agg(expires_on ORDER BY rank, expires_on, lot_id) AS expires
                       FROM load_lot GROUP BY member_id, kind, ref) l USING (member_id, kind, ref)
    LOOP
        v_whose := jsonb_build_object('account', v_account.kind, 'ref', v_account.ref, 'member', v_account.member_id);
        v_lots := coalesce(v_account.ids, '{}');
        v_left := v_account.remaining;
        v_issued := v_account.issued;
        v_expires := v_account.expires;
        v_first := 1;
        FOR i IN 1 .. cardinality(v_account.steps) LOOP
            IF v_account.lots[i] IS NOT NULL THEN
                v_at := array_position(v_lots, v_account.lots[i]);
                v_take := v_left[v_at] + v_account.amounts[i];
                IF v_take IS NULL OR v_take NOT BETWEEN 0 AND v_issued[v_at] THEN
                    PERFORM ledger_refuse('stale', jsonb_build_object('what', 'lot') || v_whose);
                END IF;
                v_left[v_at] := v_take;
                v_first := least(v_first, v_at);
                o_step := o_step || v_account.steps[i];
                o_lot := o_lot || v_account.lots[i];
                o_amount := o_amount || v_account.amounts[i];
                CONTINUE;
            END IF;
            v_need := -v_account.amounts[i];
            v_at := v_first;
            WHILE v_need > 0 LOOP
                IF v_at > cardinality(v_lots) THEN
                    PERFORM ledger_refuse('insufficient_balance', v_whose);
                END IF;
                IF v_left[v_at] > 0 AND (v_expires[v_at] IS NULL OR v_expires[v_at] >= v_account.days[i]) THEN
                    v_take := least(v_need, v_left[v_at]);
                    v_left[v_at] := v_left[v_at] - v_take;
                    v_need := v_need - v_take;
                    o_step := o_step || v_account.steps[i];
                    o_lot := o_lot || v_lots[v_at];
                    o_amount := o_amount || -v_take;
                END IF;
                IF v_at = v_first AND v_left[v_at] = 0 THEN
                    v_first := v_first + 1;
                END IF;
                v_at := v_at + 1;
            END LOOP;
        END LOOP;
    END LOOP;

    CREATE TEMP TABLE load_move ON COMMIT DROP AS
    SELECT s.n, s.leg, o.turn, s.member_id, s.kind, o.lot_id, o.amount, l.part, s.lot_id IS NULL AS in_order
      FROM unnest(o_step, o_lot, o_amount) WITH ORDINALITY AS o (step, lot_id, amount, turn)
      JOIN load_step s USING (step) JOIN load_lot l ON l.member_id = s.member_id AND l.lot_id = o.lot_id;
    PERFORM ledger_refuse(CASE WHEN moved IS DISTINCT FROM amount THEN 'plan_invalid' ELSE 'stale' END, jsonb_build_object('key', key))
       FROM load_leg LEFT JOIN (
            SELECT n, leg, sum(amount) AS moved, sum(-amount) FILTER (WHERE in_order AND part = 'bonus') AS bonus
              FROM load_move GROUP BY n, leg) m USING (n, leg)
      WHERE in_lots AND (moved IS DISTINCT FROM amount
                         OR (amount < 0 AND NOT said ? 'lots' AND coalesce(bonus, 0) <> (said->>'bonus')::bigint))
      ORDER BY n LIMIT 1;
    ANALYZE load_move (n, member_id);
END $$;

-- Each plan's hash and the balances after it, as rows of load_chain: member by member, plan by plan.
CREATE OR REPLACE FUNCTION ledger_load_chain() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_plan     record;
    v_member   bigint;
    v_chain    bytea;
    v_balances jsonb;
    o_hash     bytea[] := '{}';
    o_balances jsonb[] := '{}';
BEGIN
    FOR v_plan IN
        SELECT p.member_id, p.seq, p.kind, p.document_id, (p.plan->>'reverses')::bigint AS reverses, p.at, p.digest,
               e.entries || '|' || coalesce(m.moves, '') AS body, e.balances, h.hash, h.seq AS known
          FROM load_plan p JOIN ledger_head h USING (member_id)
          LEFT JOIN (SELECT n, string_agg(concat_ws(':', kind, ref, unit, amount, coalesce(version, 0), coalesce(balance_after, 0)) || ';',
                                          '' ORDER BY leg) AS entries,
                            jsonb_object_agg(kind, balance_after ORDER BY leg) FILTER (WHERE held AND ref = '') AS balances
                       FROM load_leg GROUP BY n) e USING (n)
          LEFT JOIN (SELECT n, string_agg(lot_id || ':' || amount || ';', '' ORDER BY lot_id) AS moves
                       FROM load_move GROUP BY n) m USING (n)
         ORDER BY p.n
    LOOP
        IF v_member IS DISTINCT FROM v_plan.member_id THEN
            v_member := v_plan.member_id;
            v_chain := v_plan.hash;
            v_balances := '{}';
            IF v_plan.known > 0 THEN
                SELECT coalesce(jsonb_object_agg(kind, balance), '{}') INTO v_balances
                  FROM ledger_account WHERE member_id = v_member AND ref = '';
            END IF;
        END IF;
        IF v_plan.seq IS NOT NULL THEN
            v_chain := ledger_hash(v_member, v_plan.seq, v_plan.kind, v_plan.document_id, v_plan.reverses, v_plan.at, v_plan.digest,
                                   v_plan.body, v_chain);
            v_balances := v_balances || coalesce(v_plan.balances, '{}');
        END IF;
        o_hash := o_hash || v_chain;
        o_balances := o_balances || v_balances;
    END LOOP;
    CREATE TEMP TABLE load_chain ON COMMIT DROP AS
    SELECT n, hash, balances FROM unnest(o_hash, o_balances) WITH ORDINALITY AS o (hash, balances, n);
    ANALYZE load_chain (n);
END $$;

-- The staged rows into the books.
CREATE OR REPLACE FUNCTION ledger_load_write() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    BEGIN
        INSERT INTO ledger_key_home (scope, key, member_id, document_id)
        SELECT scope, key, member_id, document_id FROM load_plan ORDER BY scope, key;
    EXCEPTION WHEN unique_violation THEN
        PERFORM ledger_refuse('idempotency_conflict', jsonb_build_object('why', SQLERRM));
    END;
    BEGIN
        INSERT INTO ledger_key_home (scope, key, member_id, document_id)
        SELECT plan->'claim'->>'scope', plan->'claim'->>'key', member_id, document_id FROM load_plan WHERE plan ? 'claim' ORDER BY 1, 2;
    EXCEPTION WHEN unique_violation THEN
        PERFORM ledger_refuse('claimed', jsonb_build_object('why', SQLERRM));
    END;

    INSERT INTO ledger_transfer (member_id, seq, kind, document_id, reverses, at, digest, hash)
    SELECT p.member_id, p.seq, p.kind, p.document_id, (p.plan->>'reverses')::bigint, p.at, p.digest, c.hash
      FROM load_plan p JOIN load_chain c USING (n) WHERE p.seq IS NOT NULL ORDER BY n;
    INSERT INTO ledger_entry (member_id, seq, leg, kind, ref, unit, amount, version, balance_after, at)
    SELECT member_id, seq, leg, kind, ref, unit, amount, version, balance_after, at FROM load_leg ORDER BY n, leg;
    INSERT INTO ledger_lot_move (member_id, seq, lot_id, amount)
    SELECT m.member_id, p.seq, m.lot_id, m.amount FROM load_move m JOIN load_plan p USING (n) ORDER BY n, turn;
    INSERT INTO ledger_document (member_id, id, kind, state, store_id, body, progress, memo, at, updated_at, due_at)
    SELECT p.member_id, d->>'id', d->>'kind', d->>'state', d->>'store_id', d->'body', coalesce(d->'progress', '{}'),
           coalesce(d->'memo', '{}'), p.at, p.at, (d->>'due_at')::timestamptz
      FROM load_plan p, LATERAL (SELECT p.plan->'document' AS d) x WHERE d IS NOT NULL ORDER BY n;
    INSERT INTO ledger_key (member_id, scope, key, hash, document_id, result, at)
    SELECT p.member_id, p.scope, p.key, p.hash, p.document_id,
           jsonb_build_object('transfer', p.seq, 'document_id', p.document_id, 'state', p.plan->'document'->'state',
                              'version', CASE WHEN p.plan ? 'document' THEN 1 END, 'balances', c.balances,
                              'lots', coalesce(m.lots, '[]')), p.at
      FROM load_plan p JOIN load_chain c USING (n)
      LEFT JOIN (SELECT n, jsonb_agg(jsonb_build_array(kind, lot_id, amount, part) ORDER BY leg, turn) AS lots
                   FROM load_move GROUP BY n) m USING (n) ORDER BY n;
    INSERT INTO outbox (member_id, name, body, at)
    SELECT p.member_id, e->>'name', e->'body', p.at
      FROM load_plan p, jsonb_array_elements(p.plan->'events') WITH ORDINALITY AS events (e, nth) ORDER BY n, nth;

    INSERT INTO ledger_lot AS l (member_id, lot_id, kind, ref, part, source, issued, remaining, open, expires_on, matures_on, issued_at, rank)
    SELECT member_id, lot_id, kind, ref, part, source, issued, remaining + moved, remaining + moved > 0, expires_on, matures_on, issued_at, rank
      FROM load_lot JOIN (SELECT member_id, lot_id, sum(amount)::bigint AS moved FROM load_move GROUP BY 1, 2) m USING (member_id, lot_id)
     ORDER BY member_id, lot_id
    ON CONFLICT (member_id, lot_id) DO UPDATE SET remaining = EXCLUDED.remaining, open = EXCLUDED.open;
    INSERT INTO ledger_account (member_id, kind, ref, unit, balance, version)
    SELECT DISTINCT ON (member_id, kind, ref) member_id, kind, ref, unit, balance_after, version
      FROM load_leg WHERE held ORDER BY member_id, kind, ref, version DESC
    ON CONFLICT (member_id, kind, ref) DO UPDATE SET balance = EXCLUDED.balance, version = EXCLUDED.version;
    UPDATE ledger_head h SET seq = last.seq, hash = c.hash, lots = h.lots + coalesce(l.issued, 0)
      FROM (SELECT member_id, max(n) AS n, max(seq) AS seq FROM load_plan WHERE seq IS NOT NULL GROUP BY member_id) last
      JOIN load_chain c USING (n)
      LEFT JOIN (SELECT member_id, count(*) AS issued FROM load_lot WHERE fresh GROUP BY member_id) l USING (member_id)
     WHERE h.member_id = last.member_id;
END $$;

-- Loads plans of many members, each member's in the order given; returns how many were given. Members that are not known yet
-- get their books opened. Those with a plan that depends on what is there when its turn comes (guards, caps, what it saw, a document
-- to change, where a code was used) are posted plan by plan.
CREATE OR REPLACE FUNCTION ledger_load(p_members bigint[], p_plans jsonb[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_singly  bigint[];
    v_plan    record;
    v_members bigint[];
    v_plans   jsonb[];
BEGIN
    PERFORM set_config('work_mem', '256MB', true);
    INSERT INTO ledger_head (member_id) SELECT DISTINCT unnest(p_members) AS member_id ORDER BY member_id ON CONFLICT DO NOTHING;
    PERFORM 1 FROM ledger_head WHERE member_id = ANY (p_members) ORDER BY member_id FOR UPDATE;
    SELECT coalesce(array_agg(DISTINCT member_id), '{}') INTO v_singly
      FROM unnest(p_members, p_plans) AS g (member_id, plan) WHERE plan ?| ARRAY['guards', 'caps', 'saw', 'update', 'use'];
    FOR v_plan IN SELECT * FROM unnest(p_members, p_plans) WITH ORDINALITY AS g (member_id, plan, nth)
                   WHERE member_id = ANY (v_singly) ORDER BY nth LOOP
        PERFORM ledger_post(v_plan.member_id, v_plan.plan);
    END LOOP;
    SELECT array_agg(member_id ORDER BY nth), array_agg(plan ORDER BY nth) INTO v_members, v_plans
      FROM unnest(p_members, p_plans) WITH ORDINALITY AS g (member_id, plan, nth) WHERE NOT member_id = ANY (v_singly);
    IF v_members IS NOT NULL THEN
        PERFORM ledger_load_stage(v_members, v_plans);
        PERFORM ledger_load_lots();
        PERFORM ledger_load_chain();
        PERFORM ledger_load_write();
        DROP TABLE load_plan, load_leg, load_step, load_lot, load_move, load_chain;
    END IF;
    RETURN cardinality(p_members);
END $$;
