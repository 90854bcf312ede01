-- The one door to value. See docs/ledger.md for the plan's fields and what each refusal means.
-- Every statement filters by the member, and the head row is locked first: plans of one member run one after another.
-- It has two halves: ledger_apply judges a plan and moves what has a state (keys, guards, balances, lots, head); ledger_write
-- writes what is only ever added, for all plans of a batch at once, which costs a fifth less. Both stand or fall together.
-- `-- lap:` begins a part that `huiyuan bench laps` times, `-- laps end` ends the last; they mean nothing else.

CREATE OR REPLACE FUNCTION ledger_refuse(code text, context jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'HY001', MESSAGE = code, DETAIL = context::text;
END $$;

-- A plan that was applied, with what ledger_write needs besides. Replaced only under another name: releases serve side by side.
DO $$
BEGIN
    IF to_regtype('ledger_posting') IS NULL THEN
        CREATE TYPE ledger_posting AS (
            member_id   bigint,
            plan        jsonb,
            at          timestamptz,
            document_id text,
            seq         bigint,
            digest      bytea,
            hash        bytea,
            versions    bigint[],
            balances    bigint[],
            result      jsonb
        );
    END IF;
END $$;

-- Judges one plan and moves what has a state; returns what is left to be written. A plan that was posted before is answered
-- from what was stored then, and comes back without `plan`: nothing is left of it.
CREATE OR REPLACE FUNCTION ledger_apply(p_member bigint, p jsonb) RETURNS ledger_posting
LANGUAGE plpgsql AS $$
DECLARE
    v_at         timestamptz := (p->>'at')::timestamptz;
    v_on         date := (p->>'on')::date;
    v_scope      text := p->>'scope';
    v_key        text := p->>'key';
    v_hash       bytea := decode(p->>'hash', 'hex');
    v_legs       jsonb := p->'legs';
    v_guards     jsonb := p->'guards';
    v_caps       jsonb := p->'caps';
    v_saw        jsonb := p->'saw';
    v_claim      jsonb := p->'claim';
    v_doc        jsonb := p->'document';
    v_update     jsonb := p->'update';
    v_use        jsonb := p->'use';
    v_doc_id     text := coalesce(v_doc->>'id', v_update->>'id', p->>'about');
    v_seq        bigint;
    v_chain      bytea;
    v_lots       bigint;
    v_active     boolean;
    v_merged     boolean;
    v_used_store text;
    v_used_at    timestamptz;
    v_elsewhere  timestamptz;
    v_known_hash bytea;
    v_known      jsonb;
    v_balances   jsonb;
    v_leg        jsonb;
    v_item       jsonb;
    v_inner      jsonb;
    v_lot        record;
    v_id         bigint;
    v_part       text;
    v_n          bigint;
    v_need       bigint;
    v_take       bigint;
    v_bonus      bigint;
    v_balance    bigint;
    v_version    bigint;
    v_count      integer := coalesce(jsonb_array_length(v_legs), 0);
    v_fen        bigint := 0;
    v_points     bigint := 0;
    v_uses       bigint := 0;
    v_kind       text;
    v_ref        text;
    v_unit       text;
    v_kept_in    text;
    v_digest     bytea := '\x';
    v_progress   bytea;
    v_text       text := '';
    v_moves      text := '';
    v_moved      bigint;
    v_transfer   bigint;
    v_state      text;
    v_docver     integer;
    v_result     jsonb;
    v_moved_lots jsonb := '[]';
    a_version    bigint[] := '{}';
    a_after      bigint[] := '{}';
    l_id         bigint[] := '{}';
    l_amount     bigint[] := '{}';
BEGIN
    IF (p->>'v')::int IS DISTINCT FROM 1 THEN
        PERFORM ledger_refuse('plan_invalid', '{"why": "format version"}');
    END IF;

    -- lap: locks the head, looks the key up
    -- Idempotency comes first: the stored answer, whatever the plan says now. A key that was stored while this waited
    -- for the lock is not in the snapshot yet; the insert below meets it.
    SELECT h.seq, h.hash, h.lots, h.active, h.merged, h.used_store, h.used_at, h.elsewhere_at, k.hash, k.result
      INTO v_seq, v_chain, v_lots, v_active, v_merged, v_used_store, v_used_at, v_elsewhere, v_known_hash, v_known
      FROM ledger_head h
      LEFT JOIN ledger_key k ON k.member_id = p_member AND k.scope = v_scope AND k.key = v_key
     WHERE h.member_id = p_member FOR UPDATE OF h;
    IF NOT FOUND THEN
        PERFORM ledger_refuse('member_unknown');
    END IF;
    -- lap: claims the key
    IF v_known IS NULL THEN
        INSERT INTO ledger_key_home (scope, key, member_id, document_id)
        VALUES (v_scope, v_key, p_member, v_doc_id) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            SELECT hash, result INTO v_known_hash, v_known
              FROM ledger_key WHERE member_id = p_member AND scope = v_scope AND key = v_key;
            IF NOT FOUND THEN
                PERFORM ledger_refuse('idempotency_conflict');
            END IF;
        END IF;
    END IF;
    IF v_known IS NOT NULL THEN
        IF v_known_hash <> v_hash THEN
            PERFORM ledger_refuse('idempotency_conflict');
        END IF;
        RETURN ROW(p_member, NULL, v_at, v_doc_id, NULL, NULL, NULL, NULL, NULL, v_known || '{"replayed": true}')::ledger_posting;
    END IF;
    -- lap: claims the order number
    IF v_claim IS NOT NULL THEN
        INSERT INTO ledger_key_home (scope, key, member_id, document_id)
        VALUES (v_claim->>'scope', v_claim->>'key', p_member, v_doc_id) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            SELECT document_id INTO v_kept_in FROM ledger_key_home
             WHERE scope = v_claim->>'scope' AND key = v_claim->>'key';
            IF v_kept_in IS NOT DISTINCT FROM v_doc_id THEN
                PERFORM ledger_refuse('idempotency_conflict');
            END IF;
            PERFORM ledger_refuse('claimed', jsonb_build_object('document_id', v_kept_in));
        END IF;
    END IF;

    -- lap: use and document
    IF (p->>'active')::boolean AND NOT v_active THEN
        PERFORM ledger_refuse('member_inactive');
    END IF;

    -- Where the member's code is used, and whether it was just used elsewhere: also before a scan at this store.
    IF v_use IS NOT NULL THEN
        IF v_used_store <> v_use->>'store' THEN
            v_elsewhere := v_used_at;
        END IF;
        IF v_use ? 'refusal' AND v_elsewhere > v_at - make_interval(secs => (v_use->>'window_s')::int) THEN
            PERFORM ledger_refuse('guard', jsonb_build_object('name', 'store', 'refusal', v_use->>'refusal'));
        END IF;
        v_used_store := v_use->>'store';
        v_used_at := v_at;
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
    -- lap: reads the balances, what was seen
    SELECT coalesce(jsonb_object_agg(kind, balance), '{}') INTO v_balances
      FROM ledger_account WHERE member_id = p_member AND ref = '';
    FOR i IN 0 .. coalesce(jsonb_array_length(v_saw), 0) - 1 LOOP
        v_item := v_saw->i;
        IF v_item ? 'ref' THEN
            v_balance := (SELECT balance FROM ledger_account
                           WHERE member_id = p_member AND kind = v_item->>'account' AND ref = v_item->>'ref');
        ELSE
            v_balance := (v_balances->>(v_item->>'account'))::bigint;
        END IF;
        IF coalesce(v_balance, 0) IS DISTINCT FROM (v_item->>'balance')::bigint THEN
            PERFORM ledger_refuse('stale', '{"what": "balance"}');
        END IF;
    END LOOP;

    -- lap: guards
    FOR i IN 0 .. coalesce(jsonb_array_length(v_guards), 0) - 1 LOOP
        v_item := v_guards->i;
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

    -- lap: legs: accounts and lots
    FOR i IN 0 .. v_count - 1 LOOP
        v_leg := v_legs->i;
        v_kind := v_leg->>'account';
        v_ref := coalesce(v_leg->>'ref', '');
        v_unit := v_leg->>'unit';
        v_n := (v_leg->>'amount')::bigint;
        v_version := NULL;
        v_balance := NULL;
        IF v_n = 0 OR abs(v_n) > 100000000000 THEN
            PERFORM ledger_refuse('plan_invalid', '{"why": "amount"}');
        END IF;
        IF v_unit = 'fen' THEN
            v_fen := v_fen + v_n;
        ELSIF v_unit = 'points' THEN
            v_points := v_points + v_n;
        ELSIF v_unit = 'uses' THEN
            v_uses := v_uses + v_n;
        ELSE
            PERFORM ledger_refuse('plan_invalid', '{"why": "unit"}');
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
                    PERFORM ledger_refuse('insufficient_balance', jsonb_build_object('account', v_kind, 'ref', v_ref));
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
            IF v_ref = '' THEN
                v_balances := v_balances || jsonb_build_object(v_kind, v_balance);
            END IF;

            IF v_kind <> 'points_debt' THEN
                v_moved := 0;
                IF v_leg ? 'lots' THEN
                    -- Named lots: a return to, or a taking from, exactly these.
                    v_inner := v_leg->'lots';
                    FOR j IN 0 .. jsonb_array_length(v_inner) - 1 LOOP
                        v_id := (v_inner->j->>0)::bigint;
                        v_take := (v_inner->j->>1)::bigint;
                        UPDATE ledger_lot SET remaining = remaining + v_take, open = remaining + v_take > 0
                         WHERE member_id = p_member AND lot_id = v_id AND kind = v_kind AND ref = v_ref
                           AND remaining + v_take BETWEEN 0 AND issued
                        RETURNING part INTO v_part;
                        IF NOT FOUND THEN
                            PERFORM ledger_refuse('stale', '{"what": "lot"}');
                        END IF;
                        v_moved := v_moved + v_take;
                        l_id := l_id || v_id;
                        l_amount := l_amount || v_take;
                        v_moved_lots := v_moved_lots || jsonb_build_array(jsonb_build_array(v_kind, v_id, v_take, v_part));
                    END LOOP;
                ELSIF v_n < 0 THEN
                    -- Mostly the first lot has enough.
                    v_bonus := 0;
                    UPDATE ledger_lot SET remaining = remaining + v_n, open = remaining + v_n > 0
                     WHERE member_id = p_member AND remaining + v_n >= 0 AND lot_id = (
                           SELECT lot_id FROM ledger_lot
                            WHERE member_id = p_member AND kind = v_kind AND ref = v_ref AND open
                              AND (expires_on IS NULL OR expires_on >= v_on)
                            ORDER BY rank, expires_on, lot_id LIMIT 1)
                    RETURNING lot_id, part INTO v_id, v_part;
                    IF FOUND THEN
                        IF v_part = 'bonus' THEN v_bonus := -v_n; END IF;
                        l_id := l_id || v_id;
                        l_amount := l_amount || v_n;
                        v_moved_lots := v_moved_lots || jsonb_build_array(jsonb_build_array(v_kind, v_id, v_n, v_part));
                    ELSE
                        v_need := -v_n;
                        FOR v_lot IN SELECT lot_id, part, remaining FROM ledger_lot
                                      WHERE member_id = p_member AND kind = v_kind AND ref = v_ref AND open
                                        AND (expires_on IS NULL OR expires_on >= v_on)
                                      ORDER BY rank, expires_on, lot_id LOOP
                            v_take := least(v_need, v_lot.remaining);
                            UPDATE ledger_lot SET remaining = remaining - v_take, open = remaining - v_take > 0
                             WHERE member_id = p_member AND lot_id = v_lot.lot_id;
                            IF v_lot.part = 'bonus' THEN v_bonus := v_bonus + v_take; END IF;
                            l_id := l_id || v_lot.lot_id;
                            l_amount := l_amount || -v_take;
                            v_moved_lots := v_moved_lots
                                || jsonb_build_array(jsonb_build_array(v_kind, v_lot.lot_id, -v_take, v_lot.part));
                            v_need := v_need - v_take;
                            EXIT WHEN v_need = 0;
                        END LOOP;
                        IF v_need > 0 THEN
                            PERFORM ledger_refuse('insufficient_balance', jsonb_build_object('account', v_kind, 'ref', v_ref));
                        END IF;
                    END IF;
                    IF v_leg ? 'bonus' AND v_bonus <> (v_leg->>'bonus')::bigint THEN
                        PERFORM ledger_refuse('stale', '{"what": "bonus"}');
                    END IF;
                    v_moved := v_n;
                END IF;
                v_inner := v_leg->'issue';
                FOR j IN 0 .. coalesce(jsonb_array_length(v_inner), 0) - 1 LOOP
                    v_item := v_inner->j;
                    v_lots := v_lots + 1;
                    v_take := (v_item->>'amount')::bigint;
                    INSERT INTO ledger_lot (member_id, lot_id, kind, ref, part, source, issued, remaining, open,
                                            expires_on, matures_on, issued_at, rank)
                    VALUES (p_member, v_lots, v_kind, v_ref, v_item->>'part', coalesce(v_item->>'source', v_doc_id, v_key),
                            v_take, v_take, true, (v_item->>'expires_on')::date, (v_item->>'matures_on')::date, v_at,
                            coalesce((v_item->>'rank')::smallint, 0));
                    v_moved := v_moved + v_take;
                    l_id := l_id || v_lots;
                    l_amount := l_amount || v_take;
                    v_moved_lots := v_moved_lots
                        || jsonb_build_array(jsonb_build_array(v_kind, v_lots, v_take, v_item->>'part'));
                END LOOP;
                IF v_moved <> v_n THEN
                    PERFORM ledger_refuse('plan_invalid', '{"why": "lots do not sum to the leg"}');
                END IF;
            END IF;
        END IF;
        a_version := a_version || v_version;
        a_after := a_after || v_balance;
        v_text := v_text || concat_ws(':', v_kind, v_ref, v_unit, v_n, coalesce(v_version, 0), coalesce(v_balance, 0)) || ';';
    END LOOP;

    -- What may be held at most, of what is good that day: of some accounts together, of some parts of their lots or of all.
    FOR i IN 0 .. coalesce(jsonb_array_length(v_caps), 0) - 1 LOOP
        v_item := v_caps->i;
        SELECT coalesce(sum(remaining), 0) INTO v_n FROM ledger_lot
         WHERE member_id = p_member AND open AND ref = '' AND v_item->'accounts' ? kind
           AND (NOT v_item ? 'parts' OR v_item->'parts' ? part) AND (expires_on IS NULL OR expires_on >= v_on);
        IF v_n > (v_item->>'most')::bigint THEN
            PERFORM ledger_refuse('guard', jsonb_build_object('name', 'cap', 'refusal', v_item->>'refusal'));
        END IF;
    END LOOP;

    -- lap: hash
    IF v_count > 0 THEN
        IF v_fen <> 0 OR v_points <> 0 OR v_uses <> 0 THEN
            PERFORM ledger_refuse('plan_invalid', '{"why": "legs do not sum to zero"}');
        END IF;
        v_seq := v_seq + 1;
        v_transfer := v_seq;
        v_moves := coalesce((SELECT string_agg(lot_id || ':' || amount || ';', '' ORDER BY lot_id)
                               FROM unnest(l_id, l_amount) AS m (lot_id, amount)), '');
        v_chain := ledger_hash(p_member, v_seq, p->>'kind', v_doc_id, (p->>'reverses')::bigint, v_at, v_digest,
                               v_text || '|' || v_moves, v_chain);
    END IF;
    -- What comes to a member who was merged into another (a refund of an old sale, a payment that was under way) is
    -- passed on, whoever posted it.
    IF v_merged AND v_count > 0 AND p->>'kind' <> 'merged' THEN
        p := jsonb_set(p, '{events}', coalesce(p->'events', '[]') || jsonb_build_array(jsonb_build_object(
            'name', 'MergedBooksMoved', 'body', jsonb_build_object('member_id', p_member))));
    END IF;
    -- lap: head
    IF v_count > 0 OR v_use IS NOT NULL THEN
        UPDATE ledger_head SET seq = v_seq, hash = v_chain, lots = v_lots,
               used_store = v_used_store, used_at = v_used_at, elsewhere_at = v_elsewhere
         WHERE member_id = p_member;
    END IF;

    -- lap: answer
    IF v_doc IS NOT NULL THEN
        v_state := coalesce(v_state, v_doc->>'state');
        v_docver := coalesce(v_docver, 1);
    END IF;
    v_result := jsonb_build_object('transfer', v_transfer, 'document_id', v_doc_id, 'state', v_state,
                                   'version', v_docver, 'balances', v_balances, 'lots', v_moved_lots);
    -- laps end
    RETURN ROW(p_member, p, v_at, v_doc_id, v_transfer, v_digest, v_chain, a_version, a_after, v_result)::ledger_posting;
END $$;

-- Writes what applied plans leave behind. Nothing here refuses a plan. Planned once: for one posting alone the planner would
-- believe each time that a plan of its own pays.
CREATE OR REPLACE FUNCTION ledger_write(p_postings ledger_posting[]) RETURNS void
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF cardinality(p_postings) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO ledger_transfer (member_id, seq, kind, document_id, reverses, at, digest, hash)
    SELECT member_id, seq, plan->>'kind', document_id, (plan->>'reverses')::bigint, at, digest, hash
      FROM unnest(p_postings) WHERE seq IS NOT NULL;
    -- lap: entries
    INSERT INTO ledger_entry (member_id, seq, leg, kind, ref, unit, amount, version, balance_after, at)
    SELECT member_id, seq, n, leg->>'account', coalesce(leg->>'ref', ''), leg->>'unit', (leg->>'amount')::bigint,
           versions[n], balances[n], at
      FROM unnest(p_postings), jsonb_array_elements(plan->'legs') WITH ORDINALITY AS legs (leg, n);
    -- lap: lot moves
    INSERT INTO ledger_lot_move (member_id, seq, lot_id, amount)
    SELECT member_id, seq, (lot->>1)::bigint, (lot->>2)::bigint
      FROM unnest(p_postings), jsonb_array_elements(result->'lots') AS lot;
    -- lap: document
    INSERT INTO ledger_document (member_id, id, kind, state, store_id, body, progress, memo, at, updated_at, due_at)
    SELECT member_id, doc->>'id', doc->>'kind', doc->>'state', doc->>'store_id', doc->'body',
           coalesce(doc->'progress', '{}'), coalesce(doc->'memo', '{}'), at, at, (doc->>'due_at')::timestamptz
      FROM unnest(p_postings), LATERAL (SELECT plan->'document' AS doc) AS d WHERE doc IS NOT NULL;
    -- lap: stored answer
    INSERT INTO ledger_key (member_id, scope, key, hash, document_id, result, at)
    SELECT member_id, plan->>'scope', plan->>'key', decode(plan->>'hash', 'hex'), document_id, result, at
      FROM unnest(p_postings);
    -- lap: events
    INSERT INTO outbox (member_id, name, body, at)
    SELECT member_id, event->>'name', event->'body', at
      FROM unnest(p_postings), jsonb_array_elements(plan->'events') AS event;
    -- laps end
END $$;

-- The wait for a member's lock is bounded here and not by the session: a pooler in transaction mode has none to keep.
CREATE OR REPLACE FUNCTION ledger_post(p_member bigint, p jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    v_posting ledger_posting := ledger_apply(p_member, p);
BEGIN
    IF v_posting.plan IS NOT NULL THEN
        PERFORM ledger_write(ARRAY[v_posting]);
    END IF;
    RETURN v_posting.result;
END $$;

-- One transaction for many plans; each has its own savepoint, so a refused or broken one costs the others nothing.
-- Members come in ascending order, as their locks are taken. Where one comes again, what went before is written first:
-- a plan finds all that the member's earlier ones have left. Where something cannot be written, which is a mistake of the
-- plan's or no room, every plan is posted again by itself, to tell whose it was.
CREATE OR REPLACE FUNCTION ledger_post_batch(p_members bigint[], p_plans jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '3s' AS $$
DECLARE
    v_results   jsonb[] := '{}';
    v_unwritten ledger_posting[] := '{}';
    v_posting   ledger_posting;
    v_detail    text;
BEGIN
    FOR i IN 1 .. cardinality(p_members) LOOP
        IF i > 1 AND p_members[i] <= p_members[i - 1] THEN
            PERFORM ledger_write(v_unwritten);
            v_unwritten := '{}';
        END IF;
        BEGIN
            v_posting := ledger_apply(p_members[i], p_plans[i]);
            v_results := v_results || v_posting.result;
            IF v_posting.plan IS NOT NULL THEN
                v_unwritten := v_unwritten || v_posting;
            END IF;
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
    PERFORM ledger_write(v_unwritten);
    RETURN v_results;
EXCEPTION
    WHEN deadlock_detected OR serialization_failure OR lock_not_available THEN
        RAISE;
    WHEN OTHERS THEN
        IF cardinality(p_members) = 1 THEN
            RETURN ARRAY[jsonb_build_object('broken', SQLSTATE, 'message', SQLERRM)];
        END IF;
        v_results := '{}';
        FOR i IN 1 .. cardinality(p_members) LOOP
            v_results := v_results || ledger_post_batch(p_members[i:i], p_plans[i:i]);
        END LOOP;
        RETURN v_results;
END $$;
