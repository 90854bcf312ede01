"""Settings: environment variables ``HUIYUAN_*``, read once at start-up, typed, refused with every mistake at once."""

from __future__ import annotations

import base64
import ipaddress
import os
from collections.abc import Callable, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

PREFIX = "HUIYUAN_"


class SettingsError(Exception):
    """The environment does not make a valid configuration; the message lists every mistake, one a line."""


def _doc(text: str, **limits: Any) -> Meta:
    return Meta(description=text, **limits)


_TIME_OF_DAY = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator can set. Field ``redis_url`` is the variable ``HUIYUAN_REDIS_URL``.

    ``*_file`` settings name a file; ``secret`` marks what ``huiyuan doctor`` must not print.
    """

    # where things are
    database_url: Annotated[str, _doc("PostgreSQL, as the application's role (no writes to the ledger)")]
    direct_database_url: Annotated[str, _doc("PostgreSQL past a pooler, as the same role; for the worker")] = ""
    migrate_database_url: Annotated[str, _doc("PostgreSQL, as the schema's owner; for `migrate` and `audit`")] = ""
    redis_url: Annotated[
        str, _doc("Redis protocol; only speeds up, may be down. `redis+cluster://host:port,host:port`")
    ] = ""
    base_url: Annotated[str, _doc("Public address, as WeChat and phones reach it")] = "http://127.0.0.1:8000"
    demo: Annotated[bool, _doc("Demo mode: mounts the WeChat simulator. Never in production")] = False
    demo_data: Annotated[str, _doc("Demo mode: the data directory, with the simulator's keys")] = ""

    clock_file: Annotated[str, _doc("Demo mode, for tests: a file that moves the clock. Never in production")] = ""

    # keys
    master_keys: Annotated[str, _doc("secret: `id:base64url of 32 bytes`, by commas; the first encrypts")]

    # WeChat
    wechat_app_id: Annotated[str, _doc("Mini-program AppID")] = ""
    wechat_app_secret: Annotated[str, _doc("secret: mini-program AppSecret")] = ""
    wechat_api_url: Annotated[str, _doc("Mini-program API")] = "https://api.weixin.qq.com"
    wechat_push_token: Annotated[str, _doc("secret: message push token")] = ""
    wechat_encoding_aes_key: Annotated[str, _doc("secret: message push EncodingAESKey, 43 characters")] = ""
    wechat_pay_url: Annotated[str, _doc("Pay v3 API")] = "https://api.mch.weixin.qq.com"
    wechat_mch_id: Annotated[str, _doc("Merchant id")] = ""
    wechat_mch_serial: Annotated[str, _doc("Serial of the merchant's API certificate")] = ""
    wechat_mch_key_file: Annotated[str, _doc("PEM file of the merchant's private key")] = ""
    wechat_api_v3_key: Annotated[str, _doc("secret: APIv3 key, 32 characters")] = ""
    wechat_platform_keys_dir: Annotated[str, _doc("Directory of `<serial or PUB_KEY_ID>.pem` files")] = ""

    # HTTP
    body_limit_bytes: Annotated[int, _doc("Largest request body", ge=1024)] = 256 * 1024
    header_timeout_s: Annotated[int, _doc("Time for a client to send its headers", ge=1)] = 10
    body_timeout_s: Annotated[int, _doc("Time for a client to send its body", ge=1)] = 15
    shutdown_grace_s: Annotated[int, _doc("Time for accepted requests to finish at shutdown", ge=1)] = 20
    drain_s: Annotated[int, _doc("Time that idle connections keep at a reload", ge=0)] = 75
    rate_anonymous_per_minute: Annotated[int, _doc("Requests a minute of one address without login", ge=1)] = 600
    rate_member_per_minute: Annotated[int, _doc("Requests a minute of one member", ge=1)] = 600
    rate_terminal_per_minute: Annotated[int, _doc("Requests a minute of one terminal", ge=1)] = 3000
    rate_login_per_minute: Annotated[int, _doc("Login attempts a minute from one address", ge=1)] = 60
    trusted_proxies: Annotated[str, _doc("Addresses whose X-Forwarded-For is believed, comma-separated")] = ""

    # pools
    db_pool_size: Annotated[int, _doc("Connections a process for reading", ge=1, le=100)] = 8
    orm_pool_size: Annotated[int, _doc("Connections a process for the ORM", ge=1, le=100)] = 6
    ledger_lanes: Annotated[int, _doc("Connections a process for posting", ge=1, le=8)] = 2
    # Each has a savepoint, and so has the batch: 64 are as many as PostgreSQL keeps in memory for others to look at.
    ledger_batch: Annotated[int, _doc("Most plans in one transaction", ge=1, le=256)] = 63
    statement_cache_size: Annotated[int, _doc("0 behind PgBouncer < 1.21 in transaction mode", ge=0)] = 1024

    # old entries
    archive_after_months: Annotated[
        int, _doc("Months until a year's entries are packed into one table; 0 = never", ge=0, le=1200)
    ] = 0
    archive_tablespace: Annotated[
        str, _doc("Tablespace of packed years; empty: the database's", pattern="^([a-z_][a-z0-9_]*)?$")
    ] = ""

    # the chain's rules
    console: Annotated[bool, _doc("Serve the staff console at `/admin`")] = True
    chain_name: Annotated[str, _doc("Shown on pages and receipts")] = "惠员便利"
    brand_color: Annotated[str, _doc("Brand colour of the pages", pattern="^#[0-9A-Fa-f]{6}$")] = "#0B7A5B"
    timezone: Annotated[str, _doc("Zone of the chain; a store may have its own")] = "Asia/Shanghai"
    registration_approval: Annotated[bool, _doc("A new member waits until staff approve")] = False
    member_batch_alone_max: Annotated[
        int, _doc("Members that one person of the staff may change at once; above it a second one decides", ge=0)
    ] = 100
    import_alone_max_fen: Annotated[
        int,
        _doc(
            "Fen of stored value that one of the staff may import alone in a day; 0 = a second one always decides", ge=0
        ),
    ] = 0
    points_per_yuan_bp: Annotated[int, _doc("Points per ¥1, in 1/10000", ge=0, le=1_000_000)] = 10_000
    point_value_fen_bp: Annotated[int, _doc("What one point pays, in 1/10000 fen (10000 = 1 fen)", ge=1)] = 10_000
    points_valid_months: Annotated[
        int, _doc("Months that points last (to the month's end); 0 = ever", ge=0, le=120)
    ] = 12
    points_warn_days: Annotated[
        int, _doc("Days before their last day that points are warned of; 0 = never", ge=0, le=60)
    ] = 7
    points_warn_early_days: Annotated[
        int, _doc("Days before their last day that points are warned of a first time; 0 = never", ge=0, le=180)
    ] = 0
    rebate_close_alone_max_fen: Annotated[
        int, _doc("Fen of a run of rebates that one person of finance may close alone; more needs a second one", ge=0)
    ] = 1_000_000
    rebate_warn_days: Annotated[
        int, _doc("Days before its last day that rebate is warned of; 0 = never", ge=0, le=60)
    ] = 7
    rebate_warn_early_days: Annotated[
        int, _doc("Days before its last day that rebate is warned of a first time; 0 = never", ge=0, le=180)
    ] = 0
    points_pending_days: Annotated[int, _doc("Days until earned points can be spent", ge=0, le=90)] = 0
    points_adjust_alone_max: Annotated[
        int,
        _doc("Points that one of the staff may give and take alone in a day; 0 = a second one always decides", ge=0),
    ] = 0
    group_allot_max_fen: Annotated[
        int, _doc("Stored value that a group's owner may allot to one person at once, in fen; 0 = none", ge=0)
    ] = 500_000
    group_allot_day_fen: Annotated[int, _doc("The same of an owner's day, to all together", ge=0)] = 5_000_000
    group_allot_max_points: Annotated[
        int, _doc("Points that a group's owner may allot to one person at once; 0 = none", ge=0)
    ] = 50_000
    group_allot_day_points: Annotated[int, _doc("The same of an owner's day, to all together", ge=0)] = 500_000
    group_allot_alone_max_fen: Annotated[
        int,
        _doc("Fen of stored value that one of the staff may allot in a day; more needs a table and a second one", ge=0),
    ] = 1_000_000
    group_allot_alone_max_points: Annotated[int, _doc("The same of points", ge=0)] = 100_000
    points_transfer_max: Annotated[
        int, _doc("Points that a member may give to another at once; 0 = nobody may", ge=0, le=1_000_000_000)
    ] = 2_000
    points_transfer_day_max: Annotated[int, _doc("The same of a member's day", ge=0, le=1_000_000_000)] = 5_000
    points_transfer_month_max: Annotated[int, _doc("The same of a month", ge=0, le=1_000_000_000)] = 20_000
    points_transfer_min_left: Annotated[
        int, _doc("Points that must be left to who gives some away", ge=0, le=1_000_000_000)
    ] = 0
    points_most_times_bp: Annotated[
        int, _doc("Most that stackable promotions multiply points by together, in 1/10000", ge=10_000, le=1_000_000)
    ] = 50_000
    pin_allowance_hours: Annotated[
        int, _doc("Hours after staff or a till had a hand in a PIN in which little is confirmed with it", ge=0, le=168)
    ] = 24
    pin_allowance_fen: Annotated[int, _doc("What may be confirmed with it in these hours", ge=0, le=10**9)] = 50_000
    pin_acts_per_day: Annotated[
        int, _doc("PINs that one person of the staff, or one till, may handle in a day", ge=0, le=10_000)
    ] = 20
    password_free_sale_fen: Annotated[
        int, _doc("A sale above this waits for the phone; an order needs the payment PIN, if one is set", ge=0)
    ] = 20_000
    password_free_day_fen: Annotated[int, _doc("The same of a member's day", ge=0)] = 100_000
    confirmation_ttl_s: Annotated[int, _doc("A waiting sale expires after this", ge=10, le=3600)] = 120
    two_store_window_s: Annotated[int, _doc("A code used at two stores within this waits for the phone", ge=0)] = 600
    recharge_min_fen: Annotated[int, _doc("Smallest free recharge", ge=1)] = 100
    recharge_max_fen: Annotated[int, _doc("Largest free recharge", ge=1)] = 500_000
    recharge_query_after_s: Annotated[int, _doc("Ask WeChat about an unpaid order after this", ge=1)] = 60
    recharge_close_after_s: Annotated[int, _doc("Close an unpaid order after this", ge=60)] = 1800
    recharge_day_max_fen: Annotated[int, _doc("Most that a member may recharge in a day; 0 = no bound", ge=0)] = 0
    stored_limit_fen: Annotated[
        int, _doc("Most stored value that a member may hold, held for refunds included; 0 = no bound", ge=0)
    ] = 500_000
    stored_limit_counts: Annotated[
        str, _doc("What that limit counts: `total`, or `principal` only", pattern="^(total|principal)$")
    ] = "total"
    stored_statement_letters: Annotated[
        bool, _doc("Members hear at a month's beginning that last month's statement of stored value is there")
    ] = True
    recharge_refund_by_member: Annotated[bool, _doc("Members may ask for a recharge's refund on the phone")] = True
    recharge_refund_approval_fen: Annotated[int, _doc("A recharge's refund above this needs a second person", ge=0)] = (
        50_000
    )
    recharge_refund_withholds_bonus: Annotated[
        bool, _doc("A recharge's refund keeps principal for bonus of it that was spent")
    ] = False
    order_query_after_s: Annotated[int, _doc("Ask WeChat about an unpaid mall order after this", ge=1)] = 60
    order_close_after_s: Annotated[int, _doc("Close an unpaid mall order after this", ge=60)] = 900
    identity_sms: Annotated[
        str,
        _doc(
            "What a code by SMS, read to a till, is good for: `off`, `earn`, or `spend` within the limits",
            pattern="^(off|earn|spend)$",
        ),
    ] = "earn"
    shift_blind_count: Annotated[bool, _doc("Cashiers count their till before they see what must be in it")] = False
    shift_difference_approval_fen: Annotated[
        int, _doc("A shift that is off by more than this needs a second person", ge=0)
    ] = 5_000
    accrual_daily_points: Annotated[int, _doc("Offline points a day, per terminal and member", ge=0)] = 5_000
    coupon_warn_days: Annotated[
        int, _doc("Days before its last day that a coupon is warned of; 0 = never", ge=0, le=30)
    ] = 3
    coupon_gift_hours: Annotated[
        int, _doc("Hours in which a coupon given to a friend can be accepted", ge=1, le=720)
    ] = 72
    order_receive_days: Annotated[
        int, _doc("Days after sending in which an order counts as received by itself", ge=1, le=90)
    ] = 10
    order_after_sales_days: Annotated[
        int, _doc("Days after receipt in which a return or an exchange can be asked for", ge=1, le=365)
    ] = 7
    pass_warn_days: Annotated[
        int, _doc("Days before its last day that a pass is warned of; 0 = never", ge=0, le=60)
    ] = 7
    pass_undo_hours: Annotated[int, _doc("Hours in which a use of a pass can be undone", ge=0, le=720)] = 24

    stock_approval_fen: Annotated[int, _doc("Stock documents above this are approved by head office", ge=0)] = 1_000_000
    gift_card_bearer_max_fen: Annotated[int, _doc("Most on a gift card that anybody may hold", ge=1)] = 100_000
    gift_card_named_max_fen: Annotated[int, _doc("Most on a gift card that is its member's only", ge=1)] = 500_000
    gift_cards_per_member: Annotated[int, _doc("Gift cards that one member may bind", ge=1, le=50)] = 20

    message_attempts: Annotated[int, _doc("Tries to send a message on one channel", ge=1, le=20)] = 6
    message_quiet_from: Annotated[
        str, _doc("From when care, surveys and marketing wait, in the chain's zone", pattern=_TIME_OF_DAY)
    ] = "21:00"
    message_quiet_until: Annotated[
        str, _doc("Until when; the same as `FROM`: they never wait", pattern=_TIME_OF_DAY)
    ] = "08:00"
    message_care_a_week: Annotated[int, _doc("Letters of care to a member in 7 days; 0 = no bound", ge=0)] = 7
    message_survey_a_week: Annotated[int, _doc("Invitations to surveys, the same", ge=0)] = 3
    message_marketing_a_week: Annotated[int, _doc("Letters of marketing, the same", ge=0)] = 2

    # letters
    smtp_url: Annotated[
        str, _doc("Mail server: `smtp+starttls://user:password@host:587`, `smtps://…:465`, `smtp://…` without TLS")
    ] = ""
    smtp_ca_file: Annotated[str, _doc("PEM file of the authority that signed the mail server's certificate")] = ""
    mail_from: Annotated[str, _doc("Who e-mail is from: `惠员便利 <service@example.com>`")] = ""
    mail_bounces: Annotated[str, _doc("Mailbox of bounces, with subaddresses (`…+tag@`); empty: the sender's")] = ""
    mail_report_secret: Annotated[str, _doc("secret: what the mail server signs the bounces with that it reports")] = ""
    sms_url: Annotated[str, _doc("SMS gateway (docs/messages-sms.md)")] = ""
    sms_secret: Annotated[str, _doc("secret: what the gateway and we sign with, 32 characters or more")] = ""
    sms_signature: Annotated[str, _doc("Stands in 【】 before an SMS, as registered; empty: the chain's name")] = ""
    sms_internal: Annotated[bool, _doc("The gateway is not on the public internet, but in our own network")] = False
    phone_url: Annotated[str, _doc("Where letters open the phone page; empty: the public address")] = ""
    message_tracking: Annotated[bool, _doc("Letters tell when they are opened and their links followed")] = True
    label_font_file: Annotated[
        str, _doc("TrueType font that labels are printed with; empty: the reader's own Song")
    ] = ""

    case_answer_hours: Annotated[
        str,
        _doc(
            "Hours in which feedback is to be answered, by its kind",
            pattern="^complaint=[1-9][0-9]{0,3},consultation=[1-9][0-9]{0,3},opinion=[1-9][0-9]{0,3},praise=[1-9][0-9]{0,3}$",
        ),
    ] = "complaint=24,consultation=12,opinion=72,praise=72"
    case_priority_percent: Annotated[
        str,
        _doc(
            "The same by its priority, in percent of those hours",
            pattern="^urgent=[1-9][0-9]{0,3},high=[1-9][0-9]{0,3},normal=[1-9][0-9]{0,3},low=[1-9][0-9]{0,3}$",
        ),
    ] = "urgent=25,high=50,normal=100,low=200"
    case_escalate_hours: Annotated[
        int, _doc("Hours that feedback is overdue until it is head office's too, not only its store's", ge=1, le=720)
    ] = 24
    case_close_days: Annotated[int, _doc("Days after an answer until feedback closes by itself", ge=1, le=90)] = 7
    case_reopen_days: Annotated[int, _doc("Days in which closed feedback can be reopened", ge=0, le=365)] = 14
    case_contact_days: Annotated[
        int, _doc("Days that a walk-in customer's name and number are kept after the end", ge=1, le=3650)
    ] = 180
    case_gift_points: Annotated[
        str,
        _doc(
            "Points that somebody may give with one case of feedback at most, by role; others give none",
            pattern="^[a-z][a-z0-9_]*=[0-9]{1,5}(,[a-z][a-z0-9_]*=[0-9]{1,5})*$",
        ),
    ] = "admin=5000,member_centre=2000,manager=1000,clerk=200"
    case_gifts_a_day: Annotated[
        str,
        _doc(
            "Cases with which somebody may give points or a coupon in 24 hours, by role; others with none",
            pattern="^[a-z][a-z0-9_]*=[0-9]{1,3}(,[a-z][a-z0-9_]*=[0-9]{1,3})*$",
        ),
    ] = "admin=100,member_centre=100,manager=20,clerk=3"

    webhook_networks: Annotated[
        str, _doc("Networks of our own that webhooks may call, also without TLS: `10.0.0.0/8,192.168.1.5/32`")
    ] = ""

    audit_kept_days: Annotated[int, _doc("Days that the audit log of staff is kept", ge=183, le=3650)] = 1_095

    approval_login_days: Annotated[
        int,
        _doc(
            "Days in which a login counts as its maker's, too, or as that of who reset its password, in approving",
            ge=0,
            le=90,
        ),
    ] = 3

    privacy_cooling_days: Annotated[
        int, _doc("Days in which a member may take the wish to be erased back", ge=0, le=30)
    ] = 7
    privacy_archive_days: Annotated[int, _doc("Days that a member's archive can be fetched", ge=1, le=30)] = 7
    privacy_handout_second: Annotated[
        str,
        _doc(
            "When handing a member's archive out at the counter needs a second person: `never`, `paper` (where only"
            " papers prove who stands there) or `always`",
            pattern="^(never|paper|always)$",
        ),
    ] = "paper"
    privacy_former_days: Annotated[
        int, _doc("Days that a hash of an erased member's phone keeps offers for new members from them", ge=0, le=3650)
    ] = 730

    log_format: Annotated[str, _doc("`json` or `console`", pattern="^(json|console)$")] = "json"
    log_level: Annotated[str, _doc("`debug`, `info`, `warning`", pattern="^(debug|info|warning)$")] = "info"


def field_docs() -> dict[str, str]:
    """The description of every setting, by field name; it begins with ``secret:`` for those not to be shown."""
    docs: dict[str, str] = {}
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        meta = next((arg for arg in get_args(hint) if isinstance(arg, Meta)), None)
        docs[name] = (meta.description or "") if meta else ""
    return docs


def _check_url(*schemes: str, host: bool = False) -> Callable[[str], object]:
    def check(text: str) -> None:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for what is no port
        if parts.scheme not in schemes or (host and not parts.hostname):
            raise ValueError

    return check


def _check_proxies(text: str) -> None:
    for item in text.split(","):
        if item.strip():
            ipaddress.ip_network(item.strip(), strict=False)


def read_master_keys(text: str) -> dict[str, bytes]:
    """The master keys by id, the one that encrypts first; ``ValueError`` where one is not as it must be."""
    keys: dict[str, bytes] = {}
    for item in text.split(","):
        key_id, _, encoded = item.strip().partition(":")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        if not key_id.isalnum() or len(key) != 32 or key_id in keys:
            raise ValueError("a master key is `id:base64url of 32 bytes`, each id once")
        keys[key_id] = key
    return keys


MIN_SECRET = 32
CLUSTER_SCHEMES = ("redis+cluster://", "rediss+cluster://")


def read_redis_addresses(text: str) -> list[str]:
    """Where to find Redis: one address, or one for each named node of a cluster; none for an empty text."""
    if not text.startswith(CLUSTER_SCHEMES):
        return [text] if text else []
    parts = urlsplit(text)
    user, at, nodes = parts.netloc.rpartition("@")
    scheme = parts.scheme.removesuffix("+cluster")
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    return [f"{scheme}://{user}{at}{node.strip()}{rest}" for node in nodes.split(",")]


def _check_mailbox(text: str) -> None:
    _, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    if not (local and at and "." in domain and address.isascii()) or any(sign.isspace() for sign in address):
        raise ValueError


def _check_long(text: str) -> None:
    if len(text) < MIN_SECRET:
        raise ValueError


def _check_redis(text: str) -> None:
    check = _check_url("redis", "rediss", host=True) if text.startswith(CLUSTER_SCHEMES) else _REDIS
    for address in read_redis_addresses(text):
        check(address)
        if check is not _REDIS and urlsplit(address).path.strip("/0"):
            raise ValueError  # a cluster has no numbered databases


_REDIS = _check_url("redis", "rediss", "unix")
_HTTP = (_check_url("http", "https", host=True), "must be http://… or https://…")
_POSTGRES = (_check_url("postgresql", "postgres"), "must be postgresql://user:password@host:port/name")
_CHECKS: dict[str, tuple[Callable[[str], object], str]] = {
    "database_url": _POSTGRES,
    "direct_database_url": _POSTGRES,
    "migrate_database_url": _POSTGRES,
    "redis_url": (
        _check_redis,
        "must be redis://…, rediss://…, unix://… or, for a cluster, redis+cluster://host:port,host:port",
    ),
    "base_url": _HTTP,
    "wechat_api_url": _HTTP,
    "wechat_pay_url": _HTTP,
    "master_keys": (read_master_keys, "each key is `id:base64url of 32 bytes`, separated by commas, each id once"),
    "trusted_proxies": (_check_proxies, "must be IP addresses or networks, separated by commas"),
    "webhook_networks": (_check_proxies, "must be IP addresses or networks, separated by commas"),
    "smtp_url": (
        _check_url("smtp", "smtps", "smtp+starttls", host=True),
        "must be smtp+starttls://user:password@host:port, smtps://… or smtp://…",
    ),
    "mail_from": (_check_mailbox, "must be `address` or `Name <address>`, in ASCII but for the name"),
    "mail_bounces": (_check_mailbox, "must be an e-mail address"),
    "sms_url": _HTTP,
    "sms_secret": (_check_long, "must have 32 characters or more"),
    "mail_report_secret": (_check_long, "must have 32 characters or more"),
    "phone_url": _HTTP,
    "timezone": (ZoneInfo, "is no IANA time zone"),
}


def _mistakes(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with values of the right type; never with the value itself, which may be a secret."""
    found = []
    for name, (check, what) in _CHECKS.items():
        if values.get(name):
            try:
                check(values[name])
            except (ValueError, KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
                found.append(f"{PREFIX}{name.upper()}: {what}")
    found += [
        f"{PREFIX}{name.upper()}: no such file or directory"
        for name in ("clock_file", "wechat_mch_key_file", "wechat_platform_keys_dir", "smtp_ca_file", "label_font_file")
        if values.get(name) and not Path(values[name]).exists()
    ]
    if values.get("clock_file") and not values.get("demo"):
        found.append(f"{PREFIX}CLOCK_FILE: moves the clock, which only demo mode may")
    return found


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings; raise ``SettingsError`` that lists every mistake."""
    env = os.environ if environ is None else environ
    given = {key[len(PREFIX) :].lower(): value for key, value in env.items() if key.startswith(PREFIX)}
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {}
    mistakes = [f"{PREFIX}{name.upper()}: no such setting" for name in sorted(given.keys() - known.keys())]
    for name, field in known.items():
        if name not in given:
            if field.required:
                mistakes.append(f"{PREFIX}{name.upper()}: is required ({field_docs()[name].removeprefix('secret: ')})")
            continue
        try:
            values[name] = msgspec.convert(given[name].strip(), field.type, strict=False)
        except msgspec.ValidationError as error:
            mistakes.append(f"{PREFIX}{name.upper()}: {error}")
    mistakes += _mistakes(values)
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return Settings(**values)


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process (start-up and tests)."""
    global _current
    _current = settings


def settings() -> Settings:
    """The settings of this process, read from the environment at the first call."""
    global _current
    if _current is None:
        _current = load()
    return _current
