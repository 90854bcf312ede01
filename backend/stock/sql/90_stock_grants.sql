-- The application's role may read the books of stock and call the door; it writes none of their tables.
-- `huiyuan migrate` names the role in the setting huiyuan.app_role.
DO $$
DECLARE
    v_role text := current_setting('huiyuan.app_role', true);
BEGIN
    REVOKE ALL ON FUNCTION stock_post(timestamptz, jsonb), stock_set_low(timestamptz, text, text[], bigint[]) FROM PUBLIC;
    IF coalesce(v_role, '') <> '' AND v_role <> current_user THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION stock_post(timestamptz, jsonb), stock_set_low(timestamptz, text, text[], bigint[]) TO %I', v_role);
    END IF;
END $$;
