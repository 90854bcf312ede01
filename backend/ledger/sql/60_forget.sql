-- What documents say beside their value part (memo): it is no value, is not hashed, and may name somebody. Of a member
-- whose books are closed it is emptied; everything else of a document stays.
CREATE OR REPLACE FUNCTION ledger_forget(p_member bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_count bigint;
BEGIN
    PERFORM 1 FROM ledger_head WHERE member_id = p_member AND NOT active FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the books of % are open', p_member USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE ledger_document SET memo = '{}' WHERE member_id = p_member AND memo <> '{}';
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
