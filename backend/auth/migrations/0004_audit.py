"""The audit log of staff: only ever added to; rows older than half a year may be forgotten, through a function."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE auth_audit (
    id         bigint       PRIMARY KEY,
    at         timestamptz  NOT NULL,
    staff_id   bigint       NOT NULL,
    role       varchar(16)  NOT NULL,
    store_id   varchar(16),
    route      varchar(160) NOT NULL,
    title      varchar(40)  NOT NULL,
    things     text[]       NOT NULL,
    status     smallint     NOT NULL,
    code       varchar(60)  NOT NULL,
    address    varchar(45)  NOT NULL,
    request_id varchar(64)  NOT NULL,
    detail     jsonb        NOT NULL,
    CONSTRAINT auth_audit_outcome CHECK ((code = '') = (status BETWEEN 200 AND 299))
);
CREATE INDEX auth_audit_newest ON auth_audit (at DESC, id DESC);
CREATE INDEX auth_audit_of_person ON auth_audit (staff_id, at DESC, id DESC);
CREATE INDEX auth_audit_of_store ON auth_audit (store_id, at DESC, id DESC);
CREATE INDEX auth_audit_of_route ON auth_audit (route, at DESC, id DESC);
CREATE INDEX auth_audit_of_request ON auth_audit (request_id);
CREATE INDEX auth_audit_of_thing ON auth_audit USING gin (things);

CREATE FUNCTION auth_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '180 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER auth_audit_stays BEFORE UPDATE OR DELETE ON auth_audit
    FOR EACH ROW EXECUTE FUNCTION auth_audit_stays();
CREATE TRIGGER auth_audit_all_stays BEFORE TRUNCATE ON auth_audit
    FOR EACH STATEMENT EXECUTE FUNCTION auth_audit_stays();

-- The application may delete nothing itself; what it asks for here is younger than half a year never.
CREATE FUNCTION auth_audit_forget(p_before timestamptz, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_gone integer;
BEGIN
    DELETE FROM public.auth_audit WHERE id IN (SELECT id FROM public.auth_audit
        WHERE at < least(p_before, now() - interval '180 days') ORDER BY at LIMIT p_limit);
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    RETURN v_gone;
END $$;
"""

DROP = """
DROP TABLE auth_audit;
DROP FUNCTION auth_audit_forget(timestamptz, integer);
DROP FUNCTION auth_audit_stays();
"""


class Migration(migrations.Migration):
    """Add the table; the release before writes nothing into it."""

    dependencies = [("auth", "0003_roles")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
