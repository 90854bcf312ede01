"""Merges, pairs of members who may be one person, and how far the search for them has come."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE merging_merge (
    id          text        PRIMARY KEY,
    source_id   bigint      NOT NULL UNIQUE,
    target_id   bigint      NOT NULL,
    approval_id text        NOT NULL,
    asked_by    bigint      NOT NULL,
    decided_by  bigint      NOT NULL,
    reason      text        NOT NULL,
    moved       jsonb       NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT merging_merge_two CHECK (source_id <> target_id)
);
CREATE INDEX merging_merge_newest ON merging_merge (at DESC, id DESC);
CREATE INDEX merging_merge_into ON merging_merge (target_id, at DESC);

CREATE TABLE merging_candidate (
    id         text        PRIMARY KEY,
    one_id     bigint      NOT NULL,
    other_id   bigint      NOT NULL,
    why        text        NOT NULL CONSTRAINT merging_candidate_why CHECK (why IN ('same', 'similar')),
    state      text        NOT NULL
        CONSTRAINT merging_candidate_state CHECK (state IN ('open', 'dismissed', 'merged')),
    found_at   timestamptz NOT NULL,
    decided_by bigint,
    decided_at timestamptz,
    note       text        NOT NULL DEFAULT '',
    UNIQUE (one_id, other_id),
    CONSTRAINT merging_candidate_two CHECK (one_id < other_id)
);
CREATE INDEX merging_candidate_newest ON merging_candidate (state, found_at DESC, id DESC);
CREATE INDEX merging_candidate_other ON merging_candidate (other_id);

CREATE TABLE merging_search (
    one         boolean     PRIMARY KEY CHECK (one),
    after       date        NOT NULL,
    found       integer     NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz
);
"""


class Migration(migrations.Migration):
    """Create them."""

    initial = True
    dependencies = []

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql="DROP TABLE merging_search, merging_candidate, merging_merge"),
    ]
