-- Months of entries and outbox: made ahead, packed into years, dropped when nothing is left in them. All of it beside a server
-- that settles. Nothing here waits for a lock longer than a tenth of a second, because whoever comes after it would wait too; what
-- could not be had is left to the next run.

-- A table for the rows of `p_parent` from one month to another, with all that a partition does not take over at its attaching.
CREATE OR REPLACE FUNCTION ledger_new_partition(p_parent text, p_name text, p_from date, p_to date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES)', p_name, p_parent);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT %I CHECK (at >= %L AND at < %L)', p_name, p_name || '_at',
                   p_from || ' 00:00+00', p_to || ' 00:00+00');  -- spares the attaching a scan
    IF p_parent = 'ledger_entry' THEN
        EXECUTE format('CREATE TRIGGER ledger_entry_stays BEFORE TRUNCATE ON public.%I EXECUTE FUNCTION ledger_is_history()', p_name);
    END IF;
END $$;

-- Attaches it. Takes a lock on the default partition that readers of the parent meet, none that posting meets.
CREATE OR REPLACE FUNCTION ledger_attach_partition(p_parent text, p_name text, p_from date, p_to date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', p_parent, p_name,
                   p_from || ' 00:00+00', p_to || ' 00:00+00');
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT %I', p_name, p_name || '_at');
END $$;

-- Makes the months from `p_from` on, and those whose rows already lie in the default partition: these are moved, `p_rows` of a
-- month at most. Returns how many tables were made.
CREATE OR REPLACE FUNCTION ledger_make_partitions(p_from date, p_months integer, p_rows integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_parent text;
    v_name   text;
    v_months date[];
    v_from   date;
    v_to     date;
    v_count  bigint;
    v_made   integer := 0;
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true);
    FOREACH v_parent IN ARRAY ARRAY['ledger_entry', 'outbox'] LOOP
        EXECUTE format(
            'SELECT array_agg(month ORDER BY month) FROM (
             SELECT (date_trunc(''month'', $1::timestamp) + make_interval(months => i))::date AS month FROM generate_series(0, $2 - 1) AS i
             UNION SELECT date_trunc(''month'', at AT TIME ZONE ''UTC'')::date FROM (SELECT at FROM public.%I LIMIT 100000) d) months',
            v_parent || '_default') INTO v_months USING p_from, p_months;
        FOREACH v_from IN ARRAY v_months LOOP
            v_to := v_from + interval '1 month';
            v_name := v_parent || to_char(v_from, '_YYYYMM');
            CONTINUE WHEN to_regclass('public.' || v_name) IS NOT NULL
                       OR to_regclass('public.' || v_parent || to_char(v_from, '_YYYY')) IS NOT NULL;
            EXECUTE format('SELECT count(*) FROM (SELECT FROM public.%I WHERE at >= $1 AND at < $2 LIMIT $3 + 1) d', v_parent || '_default')
               INTO v_count USING v_from::timestamp AT TIME ZONE 'UTC', v_to::timestamp AT TIME ZONE 'UTC', p_rows;
            CONTINUE WHEN v_count > p_rows;
            BEGIN
                PERFORM ledger_new_partition(v_parent, v_name, v_from, v_to);
                IF v_count > 0 THEN
                    PERFORM ledger_move_from_default(v_parent, v_name, v_from, v_to);
                END IF;
                PERFORM ledger_attach_partition(v_parent, v_name, v_from, v_to);
                v_made := v_made + 1;
            EXCEPTION WHEN lock_not_available THEN
                NULL;  -- somebody reads the default partition: next time
            END;
        END LOOP;
    END LOOP;
    RETURN v_made;
END $$;

CREATE OR REPLACE FUNCTION ledger_make_partitions(p_from date, p_months integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT ledger_make_partitions(p_from, p_months, 20000)
$$;

-- Nobody else sees the table meanwhile, so the rows are never gone and never there twice. Moving is no change of history, and
-- the trigger that forbids one is off only for as long as nobody else can touch the table.
CREATE OR REPLACE FUNCTION ledger_move_from_default(p_parent text, p_name text, p_from date, p_to date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', p_parent || '_default');
    EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', p_parent || '_default');
    EXECUTE format('WITH moved AS (DELETE FROM public.%I WHERE at >= $1 AND at < $2 RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
                   p_parent || '_default', p_name) USING p_from::timestamp AT TIME ZONE 'UTC', p_to::timestamp AT TIME ZONE 'UTC';
    EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', p_parent || '_default');
END $$;

-- Drops the outbox's months that ended by `p_before` and hold nothing any more; returns how many.
CREATE OR REPLACE FUNCTION ledger_drop_empty_outbox(p_before date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_name    text;
    v_in_use  boolean;
    v_dropped integer := 0;
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true);
    FOREACH v_name IN ARRAY ARRAY(SELECT relname::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
                   WHERE inhparent = 'public.outbox'::regclass AND relname ~ '^outbox_\d{6}$'
                     AND to_date(right(relname, 6), 'YYYYMM') + interval '1 month' <= p_before ORDER BY 1) LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', v_name) INTO v_in_use;
        CONTINUE WHEN v_in_use;
        BEGIN
            LOCK TABLE ONLY public.outbox IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', v_name) INTO v_in_use;
            CONTINUE WHEN v_in_use;
            EXECUTE format('DROP TABLE public.%I', v_name);
            v_dropped := v_dropped + 1;
        EXCEPTION WHEN lock_not_available THEN
            EXIT;
        END;
    END LOOP;
    RETURN v_dropped;
END $$;

-- Packs the oldest year whose months all ended by `p_before` into one table, member by member, in `p_tablespace` where it is not
-- empty; returns the year, or nothing where there is none. The year stays a partition: statements and the audit read it as before.
-- Old months are read meanwhile, and nothing can be put into them; the present month is not concerned until the tables change
-- places, which happens at once or not at all.
CREATE OR REPLACE FUNCTION ledger_archive_year(p_before date, p_tablespace text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_before date := least(p_before, date_trunc('month', now() AT TIME ZONE 'UTC')::date);
    v_year   integer;
    v_name   text;
    v_months text;
    v_all    text;
    v_same   boolean;
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true), set_config('work_mem', '256MB', true),
            set_config('default_tablespace', p_tablespace, true), pg_advisory_xact_lock(hashtext('ledger_archive_year'));
    SELECT year, string_agg(format('public.%I', relname), ', ' ORDER BY relname),
           string_agg(format('SELECT * FROM public.%I', relname), ' UNION ALL ' ORDER BY relname)
      INTO v_year, v_months, v_all
      FROM (SELECT relname, substr(relname, 14, 4)::int AS year FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
             WHERE inhparent = 'public.ledger_entry'::regclass AND relname ~ '^ledger_entry_\d{6}$') months
     WHERE make_date(year + 1, 1, 1) <= v_before GROUP BY year ORDER BY year LIMIT 1;
    IF v_year IS NULL THEN
        RETURN NULL;
    END IF;
    v_name := 'ledger_entry_' || v_year;
    EXECUTE format('LOCK TABLE %s IN SHARE MODE', v_months);
    PERFORM ledger_new_partition('ledger_entry', v_name, make_date(v_year, 1, 1), make_date(v_year + 1, 1, 1));
    EXECUTE format('INSERT INTO public.%I SELECT * FROM (%s) months ORDER BY member_id, seq, leg', v_name, v_all);
    EXECUTE format('ALTER TABLE public.%I ADD PRIMARY KEY (member_id, seq, leg, at)', v_name);
    EXECUTE format('CREATE INDEX ON public.%I (member_id, kind, ref, version)', v_name);
    EXECUTE format('ANALYZE public.%I', v_name);
    EXECUTE format('SELECT (SELECT row(count(*), sum(hashtextextended(e::text, 0))) FROM (%s) e)
                         = (SELECT row(count(*), sum(hashtextextended(e::text, 0))) FROM public.%I e)', v_all, v_name) INTO v_same;
    IF v_same IS NOT TRUE THEN
        RAISE EXCEPTION 'the archive of % is not what its months hold', v_year;
    END IF;
    FOR attempt IN 1 .. 50 LOOP
        BEGIN
            LOCK TABLE ONLY public.ledger_entry IN ACCESS EXCLUSIVE MODE;
            EXECUTE 'DROP TABLE ' || v_months;
            PERFORM ledger_attach_partition('ledger_entry', v_name, make_date(v_year, 1, 1), make_date(v_year + 1, 1, 1));
            RETURN v_year;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.2);  -- without a lock that anybody waits for
        END;
    END LOOP;
    RAISE EXCEPTION 'somebody holds the entries; the archive of % is tried again later', v_year USING ERRCODE = 'lock_not_available';
END $$;
