"""Members, levels, PINs, consents and growth: tables, then what the ORM cannot say."""

# ruff: noqa: E501 - the models' docstrings stand here on one line, as the ORM compares them

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE member_level
    ADD CONSTRAINT member_level_discount CHECK (discount_bp BETWEEN 0 AND 9999),
    ADD CONSTRAINT member_level_multiplier CHECK (points_multiplier_bp BETWEEN 0 AND 100000),
    ADD CONSTRAINT member_level_growth CHECK (growth_from_fen >= 0);
ALTER TABLE member
    ADD CONSTRAINT member_status CHECK (status IN ('none', 'pending', 'active', 'frozen')),
    ADD CONSTRAINT member_gender CHECK (gender IN ('male', 'female', 'unknown')),
    ADD CONSTRAINT member_number CHECK (member_no ~ '^[1-9][0-9]{11}$'),
    ADD CONSTRAINT member_name CHECK (char_length(name) BETWEEN 1 AND 40);
ALTER TABLE member_pin
    ADD CONSTRAINT member_pin_failures CHECK (failures BETWEEN 0 AND 5),
    ADD CONSTRAINT member_pin_of_member FOREIGN KEY (member_id) REFERENCES member (id) ON DELETE RESTRICT;
ALTER TABLE member_consent
    ADD CONSTRAINT member_consent_of_member FOREIGN KEY (member_id) REFERENCES member (id) ON DELETE RESTRICT;
ALTER TABLE member_growth
    ADD CONSTRAINT member_growth_of_member FOREIGN KEY (member_id) REFERENCES member (id) ON DELETE RESTRICT;
CREATE INDEX member_pending ON member (created_at) WHERE status = 'pending';
CREATE INDEX member_by_level ON member (level_id);
INSERT INTO member_level (code, name, discount_bp, points_multiplier_bp, growth_from_fen)
    VALUES ('basic', '普通会员', 0, 10000, 0);
"""

UNCHECK = """
DROP INDEX member_pending, member_by_level;
ALTER TABLE member_growth DROP CONSTRAINT member_growth_of_member;
ALTER TABLE member_consent DROP CONSTRAINT member_consent_of_member;
ALTER TABLE member_pin DROP CONSTRAINT member_pin_of_member, DROP CONSTRAINT member_pin_failures;
ALTER TABLE member
    DROP CONSTRAINT member_status, DROP CONSTRAINT member_gender, DROP CONSTRAINT member_number,
    DROP CONSTRAINT member_name;
ALTER TABLE member_level
    DROP CONSTRAINT member_level_discount, DROP CONSTRAINT member_level_multiplier, DROP CONSTRAINT member_level_growth;
"""


class Migration(migrations.Migration):
    """Create the tables, their checks and their partial indexes."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="Consent",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("member_id", fields.BigIntField()),
                ("kind", fields.CharField(max_length=20)),
                ("version", fields.CharField(max_length=20)),
                ("agreed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "member_consent",
                "app": "members",
                "unique_together": (("member_id", "kind", "version"),),
                "pk_attr": "id",
                "table_description": "One thing a member agreed to, in which version and when; never changed, only added to.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Growth",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("member_id", fields.BigIntField()),
                ("source_id", fields.CharField(max_length=40)),
                ("growth_fen", fields.BigIntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "member_growth",
                "app": "members",
                "unique_together": (("member_id", "source_id"),),
                "pk_attr": "id",
                "table_description": "What one sale (or refund, negative) added to a member's growth; its uniqueness makes adding it twice harmless.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Level",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=20)),
                ("name", fields.CharField(max_length=40)),
                ("discount_bp", fields.IntField(default=0)),
                ("points_multiplier_bp", fields.IntField(default=10000)),
                ("growth_from_fen", fields.BigIntField(unique=True)),
            ],
            options={
                "table": "member_level",
                "app": "members",
                "pk_attr": "code",
                "table_description": "One level of membership; ``growth_from_fen`` is the spending from which it is reached. Few rows, read cached.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Member",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("member_no", fields.CharField(unique=True, max_length=12)),
                ("name", fields.CharField(max_length=40)),
                ("phone_sealed", fields.CharField(max_length=200)),
                ("phone_index", fields.CharField(unique=True, max_length=64)),
                ("birthday", fields.DateField(null=True)),
                ("gender", fields.CharField(default="unknown", max_length=8)),
                ("store_id", fields.CharField(null=True, db_index=True, max_length=16)),
                ("referrer_id", fields.BigIntField(null=True)),
                (
                    "level",
                    fields.ForeignKeyField(
                        "members.Level",
                        source_field="level_id",
                        db_constraint=True,
                        to_field="code",
                        related_name="members",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("status", fields.CharField(max_length=16)),
                ("growth_fen", fields.BigIntField(default=0)),
                (
                    "attributes",
                    fields.JSONField(default=dict),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "member",
                "app": "members",
                "pk_attr": "id",
                "table_description": "One person; the phone is sealed, found by its blind index, and one phone is one member. Kept until erasure.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Pin",
            fields=[
                ("member_id", fields.BigIntField(primary_key=True, generated=False, unique=True, db_index=True)),
                ("pin_hash", fields.CharField(max_length=200)),
                ("failures", fields.IntField(default=0)),
                ("locked_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "member_pin",
                "app": "members",
                "pk_attr": "member_id",
                "table_description": "A member's payment PIN and the tries since the last right one; at most one row a member.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
