"""Which type of card a member holds; PINs that staff ended, and what may be paid in the hours after."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
CREATE INDEX member_by_card_type ON member (card_type, id) WHERE card_type IS NOT NULL;
CREATE TABLE member_pin_act (
    id          bigint       PRIMARY KEY,
    member_id   bigint       NOT NULL REFERENCES member (id) ON DELETE RESTRICT,
    at          timestamptz  NOT NULL,
    act         varchar(12)  NOT NULL CHECK (act IN ('initialised', 'set_at_till', 'unlocked')),
    actor       varchar(40)  NOT NULL,
    store_id    varchar(16),
    proof       varchar(8)   NOT NULL CHECK (proof IN ('code', 'phone')),
    reason      varchar(200) NOT NULL
);
CREATE INDEX member_pin_act_of ON member_pin_act (member_id, at DESC, id);
CREATE INDEX member_pin_act_by ON member_pin_act (actor, at);
-- An erasure takes the reason out.
CREATE FUNCTION member_pin_act_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.reason = '' AND (NEW.id, NEW.member_id, NEW.at, NEW.act, NEW.actor, NEW.store_id, NEW.proof)
               IS NOT DISTINCT FROM (OLD.id, OLD.member_id, OLD.at, OLD.act, OLD.actor, OLD.store_id, OLD.proof) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'who ended a PIN is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER member_pin_act_is_kept BEFORE UPDATE OR DELETE ON member_pin_act
    FOR EACH ROW EXECUTE FUNCTION member_pin_act_is_kept();
"""
UNDO = "DROP TABLE member_pin_act; DROP FUNCTION member_pin_act_is_kept(); DROP INDEX member_by_card_type"


class Migration(migrations.Migration):
    """Add columns that may be empty; the release before does not know them and goes on."""

    dependencies = [("members", "0007_validity")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.AddField(model_name="Member", name="card_type", field=fields.CharField(null=True, max_length=20)),
        ops.AddField(model_name="Pin", name="initialised_at", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Pin", name="lower_until", field=fields.DatetimeField(null=True)),
        ops.AddField(model_name="Pin", name="lower_left_fen", field=fields.BigIntField(null=True)),
        ops.RunSQL(CHECKS, reverse_sql=UNDO),
    ]
