-- The one door to stock. See docs/stock.md for what each step does.
-- It takes steps and does them in order: all of a unit or nothing of it. It locks levels by (place, sku), judges and moves in
-- memory, and writes at the end what has changed: a level that many orders of a batch want is written once.

-- A step as it is worked on. Replaced only under another name: releases serve side by side.
DO $$
BEGIN
    DROP TYPE IF EXISTS stock_step; -- of no release
    IF to_regtype('stock_work') IS NULL THEN
        CREATE TYPE stock_work AS (
            n     integer,
            level integer,
            unit  integer,
            act   text,
            place text,
            sku   text,
            qty   bigint,
            kind  text,
            doc   text,
            about text,
            cost  bigint,
            until timestamptz,
            staff bigint,
            seen  bigint
        );
    END IF;
END $$;

-- Acts: `reserve` and `take` want `qty` available, or their whole unit is refused; `sell` takes what there is, the rest is
-- short; `put` adds at `cost` (none given: at the average), and what was short leaves again at once, as sold before it came; `put_back` returns what `about` took, at the cost it went out with;
-- `settle` sells what the order `doc` was promised; `undo` gives back whatever that order still has. `count` makes the level what
-- was counted when its version was `seen`, with what moved since; `cost` is what a piece costs where the books had none.
-- `sell` and `put_back` pass over what the place keeps no stock of. A movement of (doc, kind, place, sku) happens once: the same
-- step again does nothing. Returns {"refused": [[unit, place, sku, available]], "moved": [[unit, place, sku, qty, short, cost]]}.
CREATE OR REPLACE FUNCTION stock_post(p_at timestamptz, p_steps jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- Planned once and by keys, whatever the statistics say: a plan made while the journal was empty would read all of it later.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_steps    stock_work[];
    s          stock_work;
    v_count    integer;
    v_i        integer := 1;
    v_end      integer;
    v_n        integer;
    v_refused  boolean;
    v_qty      bigint;
    v_want     bigint;
    v_take     bigint;
    v_cost     bigint;
    v_short    bigint;
    v_out      record;
    v_row      record;
    -- by level
    l_known    boolean[];
    l_changed  boolean[];
    l_on_hand  bigint[];
    l_reserved bigint[];
    l_short    bigint[];
    l_value    bigint[];
    l_version  bigint[];
    -- by step
    s_done     boolean[];
    s_held     boolean[];
    b_qty      bigint[];
    b_short    bigint[];
    b_cost     bigint[];
    -- what is written
    r_n        integer[] := '{}';
    r_left     bigint[] := '{}';
    h_n        integer[] := '{}';
    v_late     boolean;
    m_n        integer[] := '{}';
    m_late     boolean[] := '{}';
    m_qty      bigint[] := '{}';
    m_short    bigint[] := '{}';
    m_cost     bigint[] := '{}';
    m_on_hand  bigint[] := '{}';
    m_short_after bigint[] := '{}';
    m_value    bigint[] := '{}';
    m_version  bigint[] := '{}';
BEGIN
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(p_steps) AS g (unit integer, act text, place text, sku text, qty bigint, kind text,
            doc text, about text, cost bigint, until timestamptz, staff bigint, seen bigint)
    ), meant AS (
        SELECT unit, act, place, sku, qty, kind, doc, about, cost, until, staff, seen FROM given WHERE act NOT IN ('settle', 'undo')
        UNION ALL
        SELECT g.unit, CASE g.act WHEN 'undo' THEN 'release' ELSE g.act END, r.place_id, r.sku, r.qty, 'sale', g.doc, NULL, NULL, NULL, g.staff, NULL
          FROM given g JOIN stock_reservation r ON r.order_id = g.doc WHERE g.act IN ('settle', 'undo')
        UNION ALL
        SELECT g.unit, 'put_back', m.place_id, m.sku, NULL, 'sale_return', g.doc, g.doc, NULL, NULL, g.staff, NULL
          FROM given g JOIN stock_movement m ON m.document_id = g.doc AND m.kind = 'sale' WHERE g.act = 'undo'
    ), numbered AS (
        SELECT row_number() OVER (ORDER BY unit, place, sku)::integer AS n, dense_rank() OVER (ORDER BY place, sku)::integer AS level, *
          FROM meant
    )
    SELECT array_agg(ROW (n, level, unit, act, place, sku, qty, kind, doc, about, cost, until, staff, seen)::stock_work ORDER BY n),
           max(n), array_fill(NULL::boolean, ARRAY[coalesce(max(level), 0)]), array_fill(0::bigint, ARRAY[coalesce(max(level), 0)]),
           array_fill(NULL::boolean, ARRAY[coalesce(max(n), 0)]), array_fill(NULL::bigint, ARRAY[coalesce(max(n), 0)])
      INTO v_steps, v_count, l_known, l_on_hand, s_done, b_qty FROM numbered;
    IF v_count IS NULL THEN
        RETURN '{"refused": [], "moved": []}';
    END IF;
    l_changed := l_known;
    l_reserved := l_on_hand;
    l_short := l_on_hand;
    l_value := l_on_hand;
    l_version := l_on_hand;
    s_held := s_done;
    b_short := b_qty;
    b_cost := b_qty;
    IF EXISTS (SELECT FROM unnest(v_steps) AS x
                WHERE x.act NOT IN ('reserve', 'take', 'sell', 'put', 'put_back', 'count', 'settle', 'release') OR x.place IS NULL OR x.sku IS NULL
                   OR x.doc IS NULL OR NOT coalesce(x.qty BETWEEN (x.act <> 'count')::integer AND 1000000000, x.act = 'put_back')
                   OR x.cost NOT BETWEEN 0 AND 100000000000 OR (x.cost IS NOT NULL AND x.act NOT IN ('put', 'count'))
                   OR (x.act = 'count' AND x.seen IS NULL))
       OR EXISTS (SELECT FROM unnest(v_steps) AS x GROUP BY x.unit, x.level HAVING count(*) > 1)
       OR EXISTS (SELECT FROM unnest(v_steps) AS x WHERE x.act = 'put_back' GROUP BY x.about, x.level HAVING count(*) > 1) THEN
        RAISE EXCEPTION 'a step of no known shape, two of a unit about one article, or two returns of one document' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- A place keeps stock of what was put there, or counted.
    IF EXISTS (SELECT FROM unnest(v_steps) AS x WHERE x.act IN ('put', 'count')) THEN
        INSERT INTO stock_level (place_id, sku) SELECT DISTINCT x.place, x.sku FROM unnest(v_steps) AS x WHERE x.act IN ('put', 'count') ORDER BY 1, 2
            ON CONFLICT DO NOTHING;
    END IF;
    FOR v_row IN
        SELECT k.level, l.* FROM (SELECT DISTINCT x.level, x.place, x.sku FROM unnest(v_steps) AS x) AS k
          JOIN stock_level l ON l.place_id = k.place AND l.sku = k.sku ORDER BY l.place_id, l.sku FOR UPDATE OF l
    LOOP
        l_known[v_row.level] := true;
        l_on_hand[v_row.level] := v_row.on_hand;
        l_reserved[v_row.level] := v_row.reserved;
        l_short[v_row.level] := v_row.short;
        l_value[v_row.level] := v_row.value_fen;
        l_version[v_row.level] := v_row.version;
    END LOOP;
    -- Only now, under the locks, is it sure what was done before, and what orders still hold.
    FOR v_n IN
        SELECT x.n FROM unnest(v_steps) AS x JOIN stock_movement m
            ON m.document_id = x.doc AND m.kind = x.kind AND m.place_id = x.place AND m.sku = x.sku
         WHERE x.act IN ('sell', 'put', 'put_back', 'count') OR (x.act = 'take' AND x.kind <> 'sale') -- an order buys once, or fails loudly
    LOOP
        s_done[v_n] := true;
    END LOOP;
    FOR v_n IN
        DELETE FROM stock_reservation r USING unnest(v_steps) AS x
         WHERE x.act IN ('settle', 'release') AND r.order_id = x.doc AND r.place_id = x.place AND r.sku = x.sku RETURNING x.n
    LOOP
        s_held[v_n] := true;
    END LOOP;

    WHILE v_i <= v_count LOOP
        v_end := v_i;
        v_refused := false;
        WHILE v_end <= v_count AND v_steps[v_end].unit = v_steps[v_i].unit LOOP
            s := v_steps[v_end];
            IF s_done[s.n] THEN
                NULL;
            ELSIF s.act IN ('reserve', 'take') THEN
                v_qty := greatest(0, l_on_hand[s.level] - l_reserved[s.level]);
                v_refused := v_refused OR v_qty < s.qty;
            ELSIF s.act = 'put_back' AND l_known[s.level] THEN
                SELECT -sum(m.qty) FILTER (WHERE m.about IS NULL) AS moved, -sum(m.cost_fen) FILTER (WHERE m.about IS NULL) AS cost,
                       coalesce(sum(m.qty) FILTER (WHERE m.about IS NOT NULL), 0) AS back,
                       coalesce(sum(m.cost_fen) FILTER (WHERE m.about IS NOT NULL), 0) AS cost_back,
                       coalesce(sum(m.short - m.qty), 0) AS still_out
                  INTO v_out FROM stock_movement m
                 WHERE m.place_id = s.place AND m.sku = s.sku AND (m.document_id = s.about AND m.about IS NULL OR m.about = s.about);
                IF v_out.moved IS NULL THEN -- it went before the place kept stock of it
                    b_qty[s.n] := s.qty;
                    b_short[s.n] := 0;
                ELSE
                    v_want := coalesce(s.qty, v_out.still_out);
                    v_qty := v_out.still_out;
                    v_refused := v_refused OR v_want > v_out.still_out;
                    s_done[s.n] := v_want = 0; -- an order that has nothing left
                    -- Pieces that the books had come first, at their cost; then those they had not, if nobody counted since.
                    v_take := least(v_want, greatest(0, v_out.moved - v_out.back));
                    b_cost[s.n] := CASE WHEN v_take > 0 THEN div(v_out.cost * (v_out.back + v_take), v_out.moved) - v_out.cost_back ELSE 0 END;
                    b_short[s.n] := least(v_want - v_take, l_short[s.level]);
                    b_qty[s.n] := v_want - b_short[s.n];
                    -- Of pieces whose shortage was settled since, nobody knows the cost: they come at the average.
                    IF b_qty[s.n] > v_take AND l_on_hand[s.level] > 0 THEN
                        b_cost[s.n] := b_cost[s.n] + div(l_value[s.level]::numeric * (b_qty[s.n] - v_take), l_on_hand[s.level]);
                    END IF;
                END IF;
            END IF;
            IF v_refused THEN
                r_n := r_n || s.n;
                r_left := r_left || v_qty;
                v_end := v_end + 1;
                EXIT;
            END IF;
            v_end := v_end + 1;
        END LOOP;
        IF v_refused THEN
            WHILE v_end <= v_count AND v_steps[v_end].unit = v_steps[v_i].unit LOOP
                v_end := v_end + 1;
            END LOOP;
            v_i := v_end;
        END IF;

        WHILE v_i < v_end LOOP
            s := v_steps[v_i];
            v_i := v_i + 1;
            CONTINUE WHEN s_done[s.n] OR l_known[s.level] IS NOT TRUE OR (s.act IN ('settle', 'release') AND s_held[s.n] IS NOT TRUE);
            l_changed[s.level] := true;
            IF s.act = 'reserve' THEN
                l_reserved[s.level] := l_reserved[s.level] + s.qty;
                h_n := h_n || s.n;
                CONTINUE;
            END IF;
            IF s.act IN ('settle', 'release') THEN
                l_reserved[s.level] := l_reserved[s.level] - s.qty;
                CONTINUE WHEN s.act = 'release';
            END IF;
            IF s.act IN ('settle', 'take', 'sell') THEN
                v_qty := -least(s.qty, l_on_hand[s.level]);
                v_short := s.qty + v_qty;
            ELSIF s.act = 'count' THEN
                v_want := s.qty + (SELECT coalesce(sum(m.qty - m.short), 0) FROM stock_movement m
                                    WHERE m.place_id = s.place AND m.sku = s.sku AND m.version > s.seen);
                v_qty := greatest(0, v_want) - l_on_hand[s.level];
                v_short := greatest(0, -v_want) - l_short[s.level];
                CONTINUE WHEN v_qty = 0 AND v_short = 0;
                s.cost := CASE WHEN l_on_hand[s.level] = 0 THEN s.cost * v_qty END;
            ELSE
                v_qty := coalesce(b_qty[s.n], s.qty);
                v_short := -coalesce(b_short[s.n], 0);
            END IF;
            v_cost := coalesce(b_cost[s.n], s.cost, CASE -- at the average; the last piece takes the rest
                WHEN l_on_hand[s.level] > 0 THEN div(l_value[s.level]::numeric * abs(v_qty), l_on_hand[s.level]) * sign(v_qty) ELSE 0 END);
            v_late := false;
            LOOP
                l_on_hand[s.level] := l_on_hand[s.level] + v_qty;
                l_short[s.level] := l_short[s.level] + v_short;
                l_value[s.level] := l_value[s.level] + v_cost;
                l_version[s.level] := l_version[s.level] + 1;
                m_n := m_n || s.n;
                m_late := m_late || v_late;
                m_qty := m_qty || v_qty;
                m_short := m_short || v_short;
                m_cost := m_cost || v_cost;
                m_on_hand := m_on_hand || l_on_hand[s.level];
                m_short_after := m_short_after || l_short[s.level];
                m_value := m_value || l_value[s.level];
                m_version := m_version || l_version[s.level];
                EXIT WHEN v_late OR s.act <> 'put' OR l_short[s.level] = 0;
                v_late := true; -- a till sold them before the books knew that they had come
                v_qty := -least(l_short[s.level], l_on_hand[s.level]);
                v_short := v_qty;
                v_cost := -div(l_value[s.level]::numeric * -v_qty, l_on_hand[s.level]);
            END LOOP;
        END LOOP;
    END LOOP;

    UPDATE stock_level l
       SET on_hand = c.on_hand, reserved = c.reserved, short = c.short, value_fen = c.value_fen, version = c.version,
           low_at = CASE WHEN c.on_hand > l.low_qty THEN NULL WHEN c.on_hand <= l.low_qty THEN coalesce(l.low_at, p_at) ELSE l.low_at END
      FROM (SELECT DISTINCT x.place, x.sku, x.level FROM unnest(v_steps) AS x) AS k
      JOIN unnest(l_changed, l_on_hand, l_reserved, l_short, l_value, l_version) WITH ORDINALITY
           AS c (changed, on_hand, reserved, short, value_fen, version, level) ON c.level = k.level AND c.changed
     WHERE l.place_id = k.place AND l.sku = k.sku;
    IF cardinality(h_n) > 0 THEN
        INSERT INTO stock_reservation (order_id, place_id, sku, qty, until, at)
        SELECT x.doc, x.place, x.sku, x.qty, x.until, p_at FROM unnest(h_n) AS h (n) JOIN unnest(v_steps) AS x ON x.n = h.n;
    END IF;
    IF cardinality(m_n) > 0 THEN
        INSERT INTO stock_movement (place_id, sku, version, at, kind, document_id, about, qty, short, cost_fen, on_hand_after, short_after, value_after, staff_id)
        SELECT x.place, x.sku, m.version, p_at, CASE WHEN m.late THEN 'shortage' ELSE x.kind END, x.doc, x.about, m.qty, m.short, m.cost,
               m.on_hand, m.short_after, m.value, x.staff
          FROM unnest(m_n, m_late, m_qty, m_short, m_cost, m_on_hand, m_short_after, m_value, m_version)
               AS m (n, late, qty, short, cost, on_hand, short_after, value, version)
          JOIN unnest(v_steps) AS x ON x.n = m.n;
    END IF;
    RETURN jsonb_build_object(
        'refused', (SELECT coalesce(jsonb_agg(jsonb_build_array(x.unit, x.place, x.sku, r.available)), '[]')
                      FROM unnest(r_n, r_left) AS r (n, available) JOIN unnest(v_steps) AS x ON x.n = r.n),
        'moved', (SELECT coalesce(jsonb_agg(jsonb_build_array(x.unit, x.place, x.sku, m.qty, m.short, m.cost)), '[]')
                    FROM unnest(m_n, m_late, m_qty, m_short, m_cost) AS m (n, late, qty, short, cost) JOIN unnest(v_steps) AS x ON x.n = m.n
                   WHERE NOT m.late));
END $$;

-- From how few pieces on these articles are low at the place; none given: never. Passes over what the place keeps no stock of.
CREATE OR REPLACE FUNCTION stock_set_low(p_at timestamptz, p_place text, p_skus text[], p_lows bigint[]) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM stock_level l WHERE l.place_id = p_place AND l.sku = ANY (p_skus) ORDER BY l.sku FOR UPDATE;
    RETURN QUERY
    UPDATE stock_level l SET low_qty = w.low, low_at = CASE WHEN l.on_hand <= w.low THEN coalesce(l.low_at, p_at) END
      FROM unnest(p_skus, p_lows) AS w (sku, low) WHERE l.place_id = p_place AND l.sku = w.sku RETURNING l.sku::text;
END $$;
