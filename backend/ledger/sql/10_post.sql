-- The one door to value. See docs/ledger.md for the plan's fields and what each refusal means.
-- Every statement filters by the member, and the head row is locked first: plans of one member run one after another.

CREATE OR REPLACE FUNCTION ledger_refuse(code text, context jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'HY001', MESSAGE = code, DETAIL = context::text;
END $$;

CREATE OR REPLACE FUNCTION ledger_post(p_member bigint, p jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_at       timestamptz := (p->>'at')::timestamptz;
    v_on       date := (p->>'on')::date;
    v_scope    text := p->>'scope';
    v_key      text := p->>'key';
    v_hash     bytea := decode(p->>'hash', 'hex');
    v_claim    jsonb := p->'claim';
    v_doc      jsonb := p->'document';
    v_update   jsonb := p->'update';
    v_use      jsonb := p->'use';
    v_doc_id   text := coalesce(p->'document'->>'id', p->'update'->>'id', p->>'about');
    v_head     ledger_head%ROWTYPE;
    v_known    ledger_key%ROWTYPE;
    v_leg      jsonb;
    v_item     jsonb;
    v_lot      record;
    v_n        bigint;
    v_need     bigint;
    v_take     bigint;
    v_bonus    bigint;
    v_balance  bigint;
    v_version  bigint;
    v_count    integer;
    v_expected integer;
    v_legs     integer := 0;
    v_fen      bigint := 0;
    v_points   bigint := 0;
    v_other    bigint := 0;
    v_kind     text;
    v_ref      text;
    v_unit     text;
    v_kept_in  text;
    v_digest   bytea := '\x';
    v_progress bytea;
    v_text     text := '';
    v_moved    bigint;
    v_seq      bigint;
    v_state    text;
    v_docver   integer;
    v_result   jsonb;
    a_kind     text[] := '{}';
    a_ref      text[] := '{}';
    a_unit     text[] := '{}';
    a_amount   bigint[] := '{}';
    a_version  bigint[] := '{}';
    a_after    bigint[] := '{}';
    l_id       bigint[] := '{}';
    l_amount   bigint[] := '{}';
    l_part     text[] := '{}';
    l_kind     text[] := '{}';
BEGIN
    IF (p->>'v')::int IS DISTINCT FROM 1 THEN
        PERFORM ledger_refuse('plan_invalid', '{"why": "format version"}');
    END IF;
    SELECT * INTO v_head FROM ledger_head WHERE member_id = p_member FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger_refuse('member_unknown');
    END IF;

    -- Idempotency comes first: the stored answer, whatever the plan says now.
    SELECT * INTO v_known FROM ledger_key WHERE member_id = p_member AND scope = v_scope AND key = v_key;
    IF FOUND THEN
        IF v_known.hash <> v_hash THEN
            PERFORM ledger_refuse('idempotency_conflict');
        END IF;
        RETURN v_known.result || '{"replayed": true}';
    END IF;
    v_expected := 1 + (v_claim IS NOT NULL)::int;
    INSERT INTO ledger_key_home (scope, key, member_id, document_id)
    SELECT * FROM (VALUES (v_scope, v_key, p_member, v_doc_id),
                          (v_claim->>'scope', v_claim->>'key', p_member, v_doc_id)) AS h (scope, key, member_id, document_id)
    LIMIT v_expected
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count < v_expected THEN
        IF v_claim IS NOT NULL THEN
            SELECT member_id, document_id INTO v_lot FROM ledger_key_home
             WHERE scope = v_claim->>'scope' AND key = v_claim->>'key' AND document_id IS DISTINCT FROM v_doc_id;
            IF FOUND THEN
                PERFORM ledger_refuse('claimed', jsonb_build_object('document_id', v_lot.document_id));
            END IF;
        END IF;
        PERFORM ledger_refuse('idempotency_conflict');
    END IF;

    IF (p->>'active')::boolean AND NOT v_head.active THEN
        PERFORM ledger_refuse('member_inactive');
    END IF;

    -- Where the member's code is used, and whether it was just used elsewhere: also before a scan at this store.
    IF v_use IS NOT NULL THEN
        IF v_head.used_store <> v_use->>'store' THEN
            v_head.elsewhere_at := v_head.used_at;
        END IF;
        IF v_use ? 'refusal' AND v_head.elsewhere_at > v_at - make_interval(secs => (v_use->>'window_s')::int) THEN
            PERFORM ledger_refuse('guard', jsonb_build_object('name', 'store', 'refusal', v_use->>'refusal'));
        END IF;
        v_head.used_store := v_use->>'store';
        v_head.used_at := v_at;
    END IF;

    -- What the plan saw must still be so.
    IF v_update IS NOT NULL THEN
        UPDATE ledger_document
           SET state = coalesce(v_update->>'state', state), version = version + 1,
               progress = coalesce(v_update->'progress', progress), updated_at = v_at,
               due_at = CASE WHEN v_update ? 'due_at' THEN (v_update->>'due_at')::timestamptz ELSE NULL END
         WHERE member_id = p_member AND id = v_update->>'id' AND version = (v_update->>'version')::int
        RETURNING state, version, sha256(convert_to(body::text, 'UTF8')), sha256(convert_to(state || progress::text, 'UTF8'))
             INTO v_state, v_docver, v_digest, v_progress;
        IF NOT FOUND THEN
            PERFORM ledger_refuse('stale', '{"what": "document"}');
        END IF;
        v_digest := v_digest || v_progress;
        IF v_update ? 'release' THEN
            DELETE FROM ledger_key_home WHERE scope = v_update->'release'->>'scope'
               AND key = v_update->'release'->>'key' AND member_id = p_member;
        END IF;
    END IF;
    IF v_doc IS NOT NULL THEN
        v_digest := sha256(convert_to((v_doc->'body')::text, 'UTF8'));
    END IF;
    FOR v_item IN SELECT * FROM jsonb_array_elements(p->'saw') LOOP
        SELECT balance INTO v_balance FROM ledger_account
         WHERE member_id = p_member AND kind = v_item->>'account' AND ref = coalesce(v_item->>'ref', '');
        IF coalesce(v_balance, 0) <> (v_item->>'balance')::bigint THEN
            PERFORM ledger_refuse('stale', '{"what": "balance"}');
        END IF;
    END LOOP;

    FOR v_item IN SELECT * FROM jsonb_array_elements(p->'guards') LOOP
        v_n := (v_item->>'value')::bigint;
        CASE v_item->>'op'
        WHEN 'above' THEN
            INSERT INTO ledger_guard AS g (member_id, name, value)
            VALUES (p_member, v_item->>'name', v_n)
            ON CONFLICT (member_id, name) DO UPDATE SET value = EXCLUDED.value WHERE g.value < EXCLUDED.value;
        WHEN 'once' THEN
            INSERT INTO ledger_guard (member_id, name, value, expires_at)
            VALUES (p_member, v_item->>'name', v_n, (v_item->>'expires_at')::timestamptz)
            ON CONFLICT DO NOTHING;
        WHEN 'add' THEN
            INSERT INTO ledger_guard AS g (member_id, name, value, expires_at)
            SELECT p_member, v_item->>'name', v_n, (v_item->>'expires_at')::timestamptz
             WHERE v_n <= (v_item->>'cap')::bigint
            ON CONFLICT (member_id, name) DO UPDATE SET value = g.value + EXCLUDED.value
             WHERE g.value + EXCLUDED.value <= (v_item->>'cap')::bigint;
        END CASE;
        IF NOT FOUND THEN
            PERFORM ledger_refuse('guard', jsonb_build_object('name', v_item->>'name', 'refusal', v_item->>'refusal'));
        END IF;
    END LOOP;

    FOR v_leg IN SELECT * FROM jsonb_array_elements(p->'legs') LOOP
        v_kind := v_leg->>'account';
        v_ref := coalesce(v_leg->>'ref', '');
        v_unit := v_leg->>'unit';
        v_n := (v_leg->>'amount')::bigint;
        v_legs := v_legs + 1;
        v_version := NULL;
        v_balance := NULL;
        CASE v_unit WHEN 'fen' THEN v_fen := v_fen + v_n; WHEN 'points' THEN v_points := v_points + v_n;
        ELSE v_other := 1; END CASE;
        IF v_n = 0 OR abs(v_n) > 100000000000 THEN
            PERFORM ledger_refuse('plan_invalid', '{"why": "amount"}');
        END IF;
        IF NOT starts_with(v_kind, 'house.') THEN
            IF v_n < 0 THEN
                UPDATE ledger_account SET balance = balance + v_n, version = version + 1
                 WHERE member_id = p_member AND kind = v_kind AND ref = v_ref AND balance + v_n >= 0
                RETURNING balance, version, unit INTO v_balance, v_version, v_kept_in;
                IF NOT FOUND THEN
                    IF v_leg ? 'lots' THEN  -- the plan saw these lots hold enough
                        PERFORM ledger_refuse('stale', '{"what": "lot"}');
                    END IF;
                    PERFORM ledger_refuse('insufficient_balance', jsonb_build_object('account', v_kind));
                END IF;
            ELSE
                INSERT INTO ledger_account AS a (member_id, kind, ref, unit, balance, version)
                VALUES (p_member, v_kind, v_ref, v_unit, v_n, 1)
                ON CONFLICT (member_id, kind, ref) DO UPDATE SET balance = a.balance + v_n, version = a.version + 1
                RETURNING a.balance, a.version, a.unit INTO v_balance, v_version, v_kept_in;
            END IF;
            IF v_kept_in <> v_unit THEN
                PERFORM ledger_refuse('plan_invalid', '{"why": "the account is kept in another unit"}');
            END IF;

            IF v_kind <> 'points_debt' THEN
                v_moved := 0;
                v_bonus := 0;
                IF v_leg ? 'lots' THEN
                    -- Named lots: a return to, or a taking from, exactly these.
                    FOR v_item IN SELECT * FROM jsonb_array_elements(v_leg->'lots') LOOP
                        v_take := (v_item->>1)::bigint;
                        UPDATE ledger_lot SET remaining = remaining + v_take, open = remaining + v_take > 0
                         WHERE member_id = p_member AND lot_id = (v_item->>0)::bigint AND kind = v_kind AND ref = v_ref
                           AND remaining + v_take BETWEEN 0 AND issued
                        RETURNING part INTO v_lot;
                        IF NOT FOUND THEN
                            PERFORM ledger_refuse('stale', '{"what": "lot"}');
                        END IF;
                        v_moved := v_moved + v_take;
                        l_id := l_id || (v_item->>0)::bigint;
                        l_amount := l_amount || v_take;
                        l_part := l_part || v_lot.part;
                        l_kind := l_kind || v_kind;
                    END LOOP;
                ELSIF v_n < 0 THEN
                    v_need := -v_n;
                    FOR v_lot IN SELECT lot_id, part, remaining FROM ledger_lot
                                  WHERE member_id = p_member AND kind = v_kind AND ref = v_ref AND open
                                    AND (expires_on IS NULL OR expires_on >= v_on)
                                  ORDER BY expires_on, lot_id LOOP
                        v_take := least(v_need, v_lot.remaining);
                        UPDATE ledger_lot SET remaining = remaining - v_take, open = remaining - v_take > 0
                         WHERE member_id = p_member AND lot_id = v_lot.lot_id;
                        IF v_lot.part = 'bonus' THEN v_bonus := v_bonus + v_take; END IF;
                        l_id := l_id || v_lot.lot_id;
                        l_amount := l_amount || -v_take;
                        l_part := l_part || v_lot.part;
                        l_kind := l_kind || v_kind;
                        v_need := v_need - v_take;
                        EXIT WHEN v_need = 0;
                    END LOOP;
                    IF v_need > 0 THEN
                        PERFORM ledger_refuse('insufficient_balance', jsonb_build_object('account', v_kind));
                    END IF;
                    IF v_leg ? 'bonus' AND v_bonus <> (v_leg->>'bonus')::bigint THEN
                        PERFORM ledger_refuse('stale', '{"what": "bonus"}');
                    END IF;
                    v_moved := v_n;
                END IF;
                FOR v_item IN SELECT * FROM jsonb_array_elements(v_leg->'issue') LOOP
                    v_head.lots := v_head.lots + 1;
                    v_take := (v_item->>'amount')::bigint;
                    INSERT INTO ledger_lot (member_id, lot_id, kind, ref, part, source, issued, remaining, open,
                                            expires_on, matures_on, issued_at)
                    VALUES (p_member, v_head.lots, v_kind, v_ref, v_item->>'part', coalesce(v_item->>'source', v_doc_id, v_key),
                            v_take, v_take, true, (v_item->>'expires_on')::date, (v_item->>'matures_on')::date, v_at);
                    v_moved := v_moved + v_take;
                    l_id := l_id || v_head.lots;
                    l_amount := l_amount || v_take;
                    l_part := l_part || (v_item->>'part');
                    l_kind := l_kind || v_kind;
                END LOOP;
                IF v_moved <> v_n THEN
                    PERFORM ledger_refuse('plan_invalid', '{"why": "lots do not sum to the leg"}');
                END IF;
            END IF;
        END IF;
        a_kind := a_kind || v_kind;
        a_ref := a_ref || v_ref;
        a_unit := a_unit || v_unit;
        a_amount := a_amount || v_n;
        a_version := a_version || v_version;
        a_after := a_after || v_balance;
        v_text := v_text || concat_ws(':', v_kind, v_ref, v_unit, v_n, coalesce(v_version, 0), coalesce(v_balance, 0)) || ';';
    END LOOP;

    IF v_legs > 0 THEN
        IF v_fen <> 0 OR v_points <> 0 OR v_other <> 0 THEN
            PERFORM ledger_refuse('plan_invalid', '{"why": "legs do not sum to zero"}');
        END IF;
        v_seq := v_head.seq + 1;
        v_text := v_text || '|' || coalesce((SELECT string_agg(m.id || ':' || m.amount || ';', '' ORDER BY m.id)
                                               FROM unnest(l_id, l_amount) AS m (id, amount)), '');
        v_head.hash := ledger_hash(p_member, v_seq, p->>'kind', v_doc_id, (p->>'reverses')::bigint, v_at, v_digest, v_text, v_head.hash);
        INSERT INTO ledger_transfer (member_id, seq, kind, document_id, reverses, at, digest, hash)
        VALUES (p_member, v_seq, p->>'kind', v_doc_id, (p->>'reverses')::bigint, v_at, v_digest, v_head.hash);
        INSERT INTO ledger_entry (member_id, seq, leg, kind, ref, unit, amount, version, balance_after, at)
        SELECT p_member, v_seq, e.leg, e.kind, e.ref, e.unit, e.amount, e.version, e.after, v_at
          FROM unnest(a_kind, a_ref, a_unit, a_amount, a_version, a_after) WITH ORDINALITY
               AS e (kind, ref, unit, amount, version, after, leg);
        IF cardinality(l_id) > 0 THEN
            INSERT INTO ledger_lot_move (member_id, seq, lot_id, amount)
            SELECT p_member, v_seq, m.lot_id, m.amount FROM unnest(l_id, l_amount) AS m (lot_id, amount);
        END IF;
        v_head.seq := v_seq;
    END IF;
    IF v_legs > 0 OR v_use IS NOT NULL THEN
        UPDATE ledger_head SET seq = v_head.seq, hash = v_head.hash, lots = v_head.lots,
               used_store = v_head.used_store, used_at = v_head.used_at, elsewhere_at = v_head.elsewhere_at
         WHERE member_id = p_member;
    END IF;

    IF v_doc IS NOT NULL THEN
        v_state := coalesce(v_state, v_doc->>'state');
        v_docver := coalesce(v_docver, 1);
        INSERT INTO ledger_document (member_id, id, kind, state, store_id, body, progress, memo, at, updated_at, due_at)
        VALUES (p_member, v_doc->>'id', v_doc->>'kind', v_doc->>'state', v_doc->>'store_id', v_doc->'body',
                coalesce(v_doc->'progress', '{}'), coalesce(v_doc->'memo', '{}'), v_at, v_at, (v_doc->>'due_at')::timestamptz);
    END IF;

    SELECT jsonb_build_object('transfer', v_seq, 'document_id', v_doc_id, 'state', v_state, 'version', v_docver,
               'balances', coalesce(jsonb_object_agg(kind, balance), '{}'),
               'lots', (SELECT coalesce(jsonb_agg(jsonb_build_array(m.kind, m.lot_id, m.amount, m.part)), '[]')
                          FROM unnest(l_kind, l_id, l_amount, l_part) AS m (kind, lot_id, amount, part)))
      INTO v_result
      FROM ledger_account WHERE member_id = p_member AND ref = '';
    INSERT INTO ledger_key (member_id, scope, key, hash, document_id, result, at)
    VALUES (p_member, v_scope, v_key, v_hash, v_doc_id, v_result, v_at);
    IF p ? 'events' THEN
        INSERT INTO outbox (member_id, name, body, at)
        SELECT p_member, e->>'name', e->'body', v_at FROM jsonb_array_elements(p->'events') AS e;
    END IF;
    RETURN v_result;
END $$;

-- One transaction for many plans; each has its own savepoint, so a refused or broken one costs the others nothing.
CREATE OR REPLACE FUNCTION ledger_post_batch(p_members bigint[], p_plans jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_results jsonb[] := '{}';
    v_detail  text;
BEGIN
    FOR i IN 1 .. cardinality(p_members) LOOP
        BEGIN
            v_results := v_results || ledger_post(p_members[i], p_plans[i]);
        EXCEPTION
            WHEN SQLSTATE 'HY001' THEN
                GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
                v_results := v_results || jsonb_build_object('refused', SQLERRM, 'context', v_detail::jsonb);
            WHEN deadlock_detected OR serialization_failure OR lock_not_available THEN
                RAISE;
            WHEN OTHERS THEN
                v_results := v_results || jsonb_build_object('broken', SQLSTATE, 'message', SQLERRM);
        END;
    END LOOP;
    RETURN v_results;
END $$;
