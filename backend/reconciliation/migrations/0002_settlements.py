"""Settlements of clearing: what was settled stays as it was."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE clearing_settlement (
    id          varchar(20) PRIMARY KEY,
    from_on     date        NOT NULL,
    to_on       date        NOT NULL,
    with_bonus  boolean     NOT NULL,
    flows       jsonb       NOT NULL,
    asked_by    bigint      NOT NULL,
    approved_by bigint      NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT clearing_settlement_days CHECK (from_on <= to_on),
    CONSTRAINT clearing_settlement_two CHECK (asked_by <> approved_by)
);
CREATE INDEX clearing_settlement_newest ON clearing_settlement (at DESC, id DESC);
CREATE TRIGGER clearing_settlement_is_kept BEFORE UPDATE OR DELETE ON clearing_settlement
    FOR EACH ROW EXECUTE FUNCTION reconciliation_is_kept();

-- lines are settled first, and what they were is written then
ALTER TABLE clearing_line ADD COLUMN settlement_id varchar(20)
    REFERENCES clearing_settlement (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX clearing_line_unsettled ON clearing_line (day) WHERE settlement_id IS NULL;
CREATE INDEX clearing_line_settled ON clearing_line (settlement_id) WHERE settlement_id IS NOT NULL;
"""
DROP = """
DROP INDEX clearing_line_settled, clearing_line_unsettled;
ALTER TABLE clearing_line DROP COLUMN settlement_id;
DROP TABLE clearing_settlement;
"""


class Migration(migrations.Migration):
    """A table, and a column without a default: instant."""

    dependencies = [("reconciliation", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=DROP),
    ]
