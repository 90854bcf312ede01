"""Of a member who was erased, staff's notes on what they said may be taken out; and by which rules it was erased."""

from tortoise import migrations
from tortoise.migrations import operations as ops

KEPT = """
CREATE OR REPLACE FUNCTION privacy_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was agreed to, and in which words, is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""

KEPT_OR_STRIPPED = """
CREATE OR REPLACE FUNCTION privacy_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'privacy_consent_change' AND TG_OP = 'UPDATE' THEN
        IF NEW.note = ''
           AND to_jsonb(NEW) - '{note}'::text[] = to_jsonb(OLD) - '{note}'::text[]
           AND EXISTS (SELECT FROM member m
                         JOIN member now ON now.id = coalesce(m.merged_into, m.id)
                        WHERE m.id = OLD.member_id AND now.status = 'erased') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'what was agreed to, and in which words, is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
"""

# What a release erases, as a digest. Those who were erased by another's rules are gone through again.
RULES = "ALTER TABLE privacy_erasure ADD COLUMN rules varchar(64)"

PLACES = """
ALTER TABLE privacy_consent_change DROP CONSTRAINT privacy_consent_change_place_check,
    ADD CONSTRAINT privacy_consent_change_place_check
        CHECK (place IN ('phone', 'till', 'staff', 'import', 'merge')) NOT VALID;
"""
UNPLACES = """
ALTER TABLE privacy_consent_change DROP CONSTRAINT privacy_consent_change_place_check,
    ADD CONSTRAINT privacy_consent_change_place_check
        CHECK (place IN ('phone', 'till', 'staff', 'import')) NOT VALID;
"""


class Migration(migrations.Migration):
    """Let the words go with their member."""

    dependencies = [("privacy", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(KEPT_OR_STRIPPED, reverse_sql=KEPT),
        ops.RunSQL(PLACES, reverse_sql=UNPLACES),
        ops.RunSQL(RULES, reverse_sql="ALTER TABLE privacy_erasure DROP COLUMN rules"),
    ]
