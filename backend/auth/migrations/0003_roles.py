"""Roles as rows: the seven that every chain has, and what head office changed of them or added."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE auth_role
    ADD CONSTRAINT auth_role_code CHECK (code ~ '^[a-z][a-z0-9_]{1,15}$'),
    ADD CONSTRAINT auth_role_where CHECK (scope IN ('office', 'store', 'any')),
    ADD CONSTRAINT auth_role_admin CHECK (code <> 'admin'
        OR (scope = 'office' AND builtin AND granted = '[]' AND withheld = '[]'));
INSERT INTO auth_role (code, title, scope, builtin, granted, withheld, version, changed_at) VALUES
    ('admin', '总部管理员', 'office', true, '[]', '[]', 1, '2026-11-28T00:00:00Z'),
    ('member_centre', '会员中心', 'any', true, '[]', '[]', 1, '2026-11-28T00:00:00Z'),
    ('manager', '店长', 'store', true, '[]', '[]', 1, '2026-11-28T00:00:00Z'),
    ('clerk', '收银员', 'store', true, '[]', '[]', 1, '2026-11-28T00:00:00Z'),
    ('marketing', '市场营销', 'any', true, '[]', '[]', 1, '2026-11-28T00:00:00Z'),
    ('finance', '财务', 'any', true, '[]', '[]', 1, '2026-11-28T00:00:00Z'),
    ('auditor', '审计', 'any', true, '[]', '[]', 1, '2026-11-28T00:00:00Z');
ALTER TABLE auth_staff
    DROP CONSTRAINT auth_staff_role,
    DROP CONSTRAINT auth_staff_scope,
    ADD CONSTRAINT auth_staff_role_known FOREIGN KEY (role) REFERENCES auth_role (code) ON DELETE RESTRICT,
    ADD CONSTRAINT auth_staff_scope CHECK ((role <> 'admin' OR store_id IS NULL)
        AND (role NOT IN ('manager', 'clerk') OR store_id IS NOT NULL));
CREATE INDEX auth_staff_by_role ON auth_staff (role);
"""

UNCHECK = """
DROP INDEX auth_staff_by_role;
ALTER TABLE auth_staff
    DROP CONSTRAINT auth_staff_scope,
    DROP CONSTRAINT auth_staff_role_known,
    ADD CONSTRAINT auth_staff_role CHECK (role IN ('admin', 'manager', 'clerk')),
    ADD CONSTRAINT auth_staff_scope CHECK ((role = 'admin') = (store_id IS NULL));
"""


class Migration(migrations.Migration):
    """Add the table and let staff name its rows; the release before goes on with the three roles it knows."""

    dependencies = [("auth", "0002_staff_member")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.CreateModel(
            name="StaffRole",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ("title", fields.CharField(max_length=20)),
                ("scope", fields.CharField(max_length=8)),
                ("builtin", fields.BooleanField(default=False)),
                ("granted", fields.JSONField(default=list)),
                ("withheld", fields.JSONField(default=list)),
                ("version", fields.IntField(default=1)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "auth_role",
                "app": "auth",
                "pk_attr": "code",
                "table_description": (
                    "One role. Of a built-in one the release says what it holds;"
                    " ``granted`` and ``withheld`` are what was changed."
                ),
            },
            bases=["Model"],
        ),
        ops.RunSQL(CHECKS, reverse_sql=UNCHECK),
    ]
