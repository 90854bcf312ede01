"""Purposes and what members say to them; archives that were asked for; erasures, and who was here before."""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLES = """
CREATE TABLE privacy_purpose (
    code     varchar(24) PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{1,23}$'),
    title    varchar(40) NOT NULL,
    required boolean     NOT NULL,
    unsaid   boolean     NOT NULL DEFAULT false,
    active   boolean     NOT NULL DEFAULT true,
    sort     integer     NOT NULL,
    version  integer     NOT NULL CHECK (version > 0),
    channel  varchar(10),
    letters  varchar(10),
    CONSTRAINT privacy_purpose_letters
        CHECK ((channel IS NULL) = (letters IS NULL) AND (channel IS NULL OR NOT required))
);
CREATE UNIQUE INDEX privacy_purpose_way ON privacy_purpose (channel, letters) WHERE channel IS NOT NULL;

CREATE TABLE privacy_text (
    purpose  varchar(24) NOT NULL REFERENCES privacy_purpose (code) ON DELETE RESTRICT,
    version  integer     NOT NULL CHECK (version > 0),
    body     text        NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    staff_id bigint,
    at       timestamptz NOT NULL,
    PRIMARY KEY (purpose, version)
);

CREATE TABLE privacy_consent (
    member_id bigint      NOT NULL,
    purpose   varchar(24) NOT NULL,
    granted   boolean     NOT NULL,
    version   integer     NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (member_id, purpose)
);

CREATE TABLE privacy_consent_change (
    id        bigint       PRIMARY KEY,
    member_id bigint       NOT NULL,
    purpose   varchar(24)  NOT NULL,
    granted   boolean      NOT NULL,
    version   integer      NOT NULL,
    place     varchar(8)   NOT NULL CHECK (place IN ('phone', 'till', 'staff', 'import')),
    staff_id  bigint,
    note      varchar(200) NOT NULL DEFAULT '',
    at        timestamptz  NOT NULL
);
CREATE INDEX privacy_consent_change_of ON privacy_consent_change (member_id, at DESC, id DESC);

CREATE FUNCTION privacy_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was agreed to, and in which words, is never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER privacy_text_is_kept BEFORE UPDATE OR DELETE ON privacy_text
    FOR EACH ROW EXECUTE FUNCTION privacy_is_kept();
CREATE TRIGGER privacy_consent_change_is_kept BEFORE UPDATE OR DELETE ON privacy_consent_change
    FOR EACH ROW EXECUTE FUNCTION privacy_is_kept();

CREATE TABLE privacy_export (
    id        varchar(16)  PRIMARY KEY,
    member_id bigint       NOT NULL,
    state     varchar(8)   NOT NULL CHECK (state IN ('waiting', 'ready', 'failed', 'gone')),
    store_id  varchar(16),
    staff_id  bigint,
    reason    varchar(200) NOT NULL DEFAULT '',
    day       date         NOT NULL,
    asked_at  timestamptz  NOT NULL,
    place     varchar(90),
    after     jsonb,
    parts     integer      NOT NULL DEFAULT 0,
    rows      bigint       NOT NULL DEFAULT 0,
    lists     integer      NOT NULL DEFAULT 0,
    lists_all integer      NOT NULL DEFAULT 0,
    bytes     bigint,
    moved_at  timestamptz  NOT NULL,
    ready_at  timestamptz,
    until     timestamptz,
    CONSTRAINT privacy_export_ready
        CHECK ((state = 'ready') <= (ready_at IS NOT NULL AND until IS NOT NULL AND bytes > 0))
);
CREATE UNIQUE INDEX privacy_export_daily ON privacy_export (member_id, day) WHERE state <> 'failed';
CREATE INDEX privacy_export_of ON privacy_export (member_id, asked_at DESC, id);
CREATE INDEX privacy_export_newest ON privacy_export (asked_at DESC, id);
CREATE INDEX privacy_export_due ON privacy_export (moved_at) WHERE state IN ('waiting', 'ready');

CREATE TABLE privacy_part (
    export_id varchar(16) NOT NULL REFERENCES privacy_export (id) ON DELETE RESTRICT,
    seq       integer     NOT NULL,
    list      varchar(63) NOT NULL,
    name      varchar(80),
    rows      integer     NOT NULL,
    sealed    text        NOT NULL,
    PRIMARY KEY (export_id, seq)
);
CREATE TABLE privacy_piece (
    export_id varchar(16) NOT NULL REFERENCES privacy_export (id) ON DELETE RESTRICT,
    seq       integer     NOT NULL,
    sealed    text        NOT NULL,
    PRIMARY KEY (export_id, seq)
);

CREATE TABLE privacy_erasure (
    id          varchar(16)  PRIMARY KEY,
    member_id   bigint       NOT NULL,
    state       varchar(9)   NOT NULL CHECK (state IN ('cooling', 'erasing', 'done', 'withdrawn', 'lapsed')),
    store_id    varchar(16),
    staff_id    bigint,
    approved_by bigint,
    reason      varchar(200) NOT NULL DEFAULT '',
    given_up    jsonb        NOT NULL,
    asked_at    timestamptz  NOT NULL,
    due_at      timestamptz  NOT NULL,
    tries       integer      NOT NULL DEFAULT 0,
    problem     varchar(40),
    place       varchar(40),
    changed     bigint       NOT NULL DEFAULT 0,
    ended_at    timestamptz,
    CONSTRAINT privacy_erasure_ended CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'withdrawn', 'lapsed'))),
    CONSTRAINT privacy_erasure_two CHECK (approved_by <> staff_id)
);
CREATE UNIQUE INDEX privacy_erasure_one ON privacy_erasure (member_id) WHERE state IN ('cooling', 'erasing', 'done');
CREATE INDEX privacy_erasure_due ON privacy_erasure (due_at) WHERE state IN ('cooling', 'erasing');
CREATE INDEX privacy_erasure_newest ON privacy_erasure (asked_at DESC, id);

CREATE TABLE privacy_former (
    digest varchar(64) PRIMARY KEY,
    until  date        NOT NULL
);
CREATE INDEX privacy_former_until ON privacy_former (until);
"""

PURPOSES = (
    (
        "terms",
        "会员服务协议",
        True,
        None,
        None,
        "加入会员即表示同意本店的会员服务规则：积分、储值、优惠券的取得与使用，以门店公示为准。",
    ),
    (
        "privacy",
        "隐私政策",
        True,
        None,
        None,
        "我们为提供会员服务收集手机号、姓名、消费记录；您可随时查询、更正、导出或注销。",
    ),
    (
        "profiling",
        "个性化推荐",
        False,
        None,
        None,
        "按您买过的商品选择向您发送的关怀、优惠与问卷。可随时关闭，不影响使用会员服务。",
    ),
    (
        "third_party",
        "与合作方共享",
        False,
        None,
        None,
        "经您同意，为联名活动向合作方提供会员号与等级。不同意不影响使用会员服务。",
    ),
    ("marketing_wechat", "微信营销消息", False, "wechat", "marketing", "通过微信接收优惠与活动消息，可随时关闭。"),
    ("marketing_sms", "短信营销消息", False, "sms", "marketing", "通过短信接收优惠与活动消息，可随时关闭。"),
    ("marketing_email", "邮件营销消息", False, "email", "marketing", "通过电子邮件接收优惠与活动消息，可随时关闭。"),
    ("marketing_post", "邮寄营销资料", False, "post", "marketing", "通过邮寄接收优惠与活动资料，可随时关闭。"),
)


def _quoted(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


FIRST = (
    "".join(
        f"INSERT INTO privacy_purpose (code, title, required, sort, version, channel, letters) VALUES"
        f" ({_quoted(code)}, {_quoted(title)}, {required}, {number * 10}, 1, {_quoted(channel)}, {_quoted(letters)});"
        f"INSERT INTO privacy_text (purpose, version, body, at) VALUES ({_quoted(code)}, 1, {_quoted(body)}, now());"
        for number, (code, title, required, channel, letters, body) in enumerate(PURPOSES, 1)
    )
    + "UPDATE privacy_purpose SET unsaid = true WHERE code = 'profiling';"
)

UNDO = """
DROP TABLE privacy_former, privacy_erasure, privacy_piece, privacy_part, privacy_export,
    privacy_consent_change, privacy_consent, privacy_text, privacy_purpose;
DROP FUNCTION privacy_is_kept();
"""


class Migration(migrations.Migration):
    """Create the tables, and the first purposes with their texts."""

    initial = True

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(TABLES, reverse_sql=UNDO),
        ops.RunSQL(FIRST, reverse_sql=ops.RunSQL.noop),
    ]
