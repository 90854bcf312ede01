-- The application's role may read the ledger and call the door; it cannot write, update or delete the tables.
-- `huiyuan migrate` names the role in the setting huiyuan.app_role.
DO $$
DECLARE
    v_role text := current_setting('huiyuan.app_role', true);
    v_name text;
BEGIN
    REVOKE ALL ON FUNCTION ledger_post(bigint, jsonb), ledger_post_batch(bigint[], jsonb[]), ledger_apply(bigint, jsonb),
        ledger_write(ledger_posting[]), ledger_load(bigint[], jsonb[]), ledger_load_stage(bigint[], jsonb[]), ledger_load_lots(), ledger_load_chain(), ledger_load_write(),
        ledger_open_member(bigint, boolean), ledger_set_active(bigint, boolean), ledger_hold(bigint), ledger_forget(bigint), ledger_set_merged(bigint), ledger_carry_guards(bigint, bigint), ledger_carry_keys(bigint, text, bigint, text), ledger_raise_guard(bigint, text, bigint),
        ledger_sweep_guards(timestamptz, integer), ledger_make_partitions(date, integer), ledger_make_partitions(date, integer, integer),
        ledger_new_partition(text, text, date, date), ledger_attach_partition(text, text, date, date),
        ledger_move_from_default(text, text, date, date), ledger_drop_empty_outbox(date), ledger_archive_year(date, text),
        ledger_roll_up(text, bigint, integer) FROM PUBLIC;
    IF coalesce(v_role, '') = '' OR v_role = current_user THEN
        RETURN;
    END IF;
    FOR v_name IN SELECT format('%I', relname) FROM pg_class
                   WHERE relkind IN ('r', 'p') AND relname LIKE 'ledger\_%' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I; GRANT SELECT ON %s TO %I', v_name, v_role, v_name, v_role);
    END LOOP;
    EXECUTE format('GRANT EXECUTE ON FUNCTION ledger_post(bigint, jsonb), ledger_post_batch(bigint[], jsonb[]),
        ledger_open_member(bigint, boolean), ledger_set_active(bigint, boolean), ledger_hold(bigint), ledger_forget(bigint), ledger_set_merged(bigint), ledger_carry_guards(bigint, bigint), ledger_carry_keys(bigint, text, bigint, text), ledger_raise_guard(bigint, text, bigint),
        ledger_sweep_guards(timestamptz, integer), ledger_make_partitions(date, integer), ledger_drop_empty_outbox(date),
        ledger_archive_year(date, text), ledger_roll_up(text, bigint, integer) TO %I', v_role);
END $$;
