"""What becomes of every table and function on Citus, and the statements that make it so for the schema as it stands.

A plan touches one member, so what it touches lies by member, together. What is read everywhere and seldom written is
copied to every node; the rest stays on the coordinator. A table or function that is in no class is a mistake.

Source: Citus' documentation (utility functions; SQL support and workarounds) and its issues on identity columns and
row locks; the design, section 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

HOME = "ledger_head"
"""The table that the others by member are laid beside."""


class Place(StrEnum):
    """Where a table's rows lie."""

    MEMBER = "by member"
    KEY = "by key"
    REFERENCE = "on every node"
    LOCAL = "on the coordinator"


class Call(StrEnum):
    """Where a function runs."""

    DELEGATED = "at its member's node"
    EVERYWHERE = "where it is called"
    COORDINATOR = "on the coordinator"


# A table that others refer to stands before them.
PLACES: dict[str, Place] = {
    **dict.fromkeys(
        (
            *(HOME, "ledger_account", "ledger_lot", "ledger_transfer", "ledger_entry", "ledger_lot_move"),
            *("ledger_document", "ledger_guard", "ledger_key", "ledger_rolled", "outbox"),
            *("coupon", "coupon_gift"),
            "pass_card",
            *("stamp_card", "stamp_given"),
            *("wallet_refund", "wallet_rolled"),
            *("orders_cart_line", "orders_order", "orders_line"),
            *("orders_parcel", "orders_fulfilment", "orders_pickup", "orders_after_sale", "orders_after_sale_step"),
            *("orders_review", "orders_invoice", "orders_notice", "orders_address", "orders_receiver"),
            "gifts_redemption",
        ),
        Place.MEMBER,
    ),
    "ledger_key_home": Place.KEY,
    **dict.fromkeys(
        (
            *("auth_store", "member_level", "wallet_offer", "wallet_points_expiry"),
            # a table that others refer to stands before them
            *("mall_category", "mall_brand", "mall_supplier_category", "mall_supplier", "mall_product", "mall_article"),
            *("mall_attribute", "mall_level_price", "mall_timed_price", "mall_publication"),
            *("coupon_template_version", "pass_product_version", "orders_promotion", "orders_delivery_rule"),
            "orders_spot",
        ),
        Place.REFERENCE,
    ),
    **dict.fromkeys(
        (
            *("ledger_rollup", "wallet_day"),  # sums over all members
            "wallet_warned",
            *("member", "member_pin", "member_consent", "member_growth", "member_change", "member_pin_act"),
            *("merging_merge", "merging_candidate", "merging_search"),
            *("member_value", "member_attribute", "member_field_rules", "member_definition_change"),
            *("group_account", "group_member", "group_invitation", "group_allotment", "group_purchase", "group_return"),
            *("key_account", "group_change", "group_allot_batch", "group_allot_row"),
            *("membercard_type", "membercard_issuer", "membercard_batch", "membercard_move", "membercard"),
            *("membercard_step", "membercard_change"),
            *("lifecycle_purchase", "lifecycle_return", "lifecycle_backfill", "lifecycle_programme"),
            "lifecycle_stages",
            *("lifecycle_standing", "lifecycle_grant", "lifecycle_change", "lifecycle_run", "lifecycle_stage_count"),
            *("registration_batch", "registration_batch_row", "registration_warned"),
            *("registration_policy", "registration_application"),
            *("registration_import", "registration_import_row", "registration_import_flaw"),
            *("audience_sale", "audience_bought", "audience_backfill"),  # asked together with member
            *("feed_subscriber", "feed_head", "feed_entry", "feed_delivery"),
            # what a job looks through for what is due, whosever it is
            *("message_letter", "message_delivery", "message_consent", "message_consent_change"),
            "message_touch",
            *("message_template", "message_template_version", "message_template_change"),
            *("message_batch", "message_batch_change", "message_subscription", "message_subscription_answer"),
            *("message_batch", "message_batch_change"),
            *("message_email", "message_dead_address", "message_reply", "message_nonce"),
            "message_sheet",
            # a purpose before its texts, an archive before what it is made of; asked by day, whosever it is
            *("privacy_purpose", "privacy_text", "privacy_consent", "privacy_consent_change", "privacy_former"),
            *("privacy_export", "privacy_part", "privacy_piece", "privacy_erasure", "privacy_handout"),
            # what counts, and what is found without a member
            *("coupon_template", "coupon_batch", "coupon_code", "coupon_handout", "coupon_due", "coupon_change"),
            *("giftcard_product", "giftcard_batch", "giftcard", "giftcard_try", "giftcard_charge"),
            "giftcard_change",
            *("pass_product", "pass_change"),
            *("points_rule", "points_rule_version", "points_epoch", "points_change", "points_transfer"),
            *("points_batch", "points_batch_row"),
            *("rebate_purchase", "rebate_return", "rebate_late", "rebate_backfill", "rebate_scheme"),
            *("rebate_scheme_version", "rebate_change", "rebate_run", "rebate_figure", "rebate_statement"),
            *("rebate_flow", "rebate_rolled", "rebate_moved"),
            *("stamp_campaign", "stamp_change", "stamp_due"),
            *("gifts_gift", "gifts_day", "gifts_change"),
            *("mall_media", "mall_upload", "mall_store_picture", "mall_banner", "mall_change", "mall_media_use"),
            *("care_plan", "care_change", "care_task", "care_run", "care_birthday_gift", "care_fact"),
            *("notice_announcement", "notice_receipt", "notice_chapter", "notice_version", "notice_change"),
            *("mall_sold", "mall_sold_due"),
            *("mall_import", "mall_import_row", "mall_import_flaw"),
            *("stock_level", "stock_movement", "stock_reservation", "stock_due", "stock_warehouse"),
            *("stock_document", "stock_document_line", "stock_document_change", "stock_number", "stock_attachment"),
            *("stock_payment", "stock_told", "stock_alert"),
            "orders_change",
            "contact_look",
            # asked by day, whosever it is
            *("reconciliation_bill", "reconciliation_item", "reconciliation_difference", "reconciliation_step"),
            *("clearing_source", "clearing_due", "clearing_settlement", "clearing_line", "clearing_backfill"),
            # a box before what refers to it; what is anonymous has no member to lie by
            *("suggestion_box", "suggestion_box_admin", "suggestion", "suggestion_message", "suggestion_picture"),
            *("suggestion_key", "suggestion_issued", "suggestion_spent", "suggestion_change"),
            *("conversation", "conversation_message", "conversation_picture"),
            *("conversation_rule", "conversation_canned", "conversation_texts", "conversation_change"),
            *("feedback_case", "feedback_step", "feedback_todo", "feedback_gift"),  # some are nobody's
            *("coupon_refusal", "coupon_day", "coupon_day_done"),
            *("survey_project", "survey", "survey_version", "survey_participation", "survey_answer", "survey_choice"),
            *("survey_quota", "survey_prize", "survey_change", "survey_invitation", "survey_photo"),
            *("auth_wechat_identity", "auth_session", "auth_device", "auth_handle", "auth_login_failure", "auth_nonce"),
            *("auth_terminal", "auth_role", "auth_staff", "auth_staff_session", "auth_epoch", "auth_audit"),
            *("auth_staff_link", "auth_recovery_code", "auth_staff_phone", "auth_control", "auth_staff_device"),
            *("override_limit", "override_grant", "identity_request", "identity_document"),
            *("discount_rule", "discount_change"),
            *("shift_terminal", "shift", "shift_movement", "shift_entry", "shift_due", "shift_report", "shift_step"),
            "shift_request",
            *("approval", "approval_alone"),
            *("procrastinate_workers", "procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers"),
            *("tortoise_migrations", "schema_sql"),
        ),
        Place.LOCAL,
    ),
}
COLUMNS = {Place.MEMBER: "member_id", Place.KEY: "key"}
"""What the rows of a distributed table are told apart by."""

EVERYWHERE = frozenset(
    {"ledger_post_batch", "ledger_apply", "ledger_write", "ledger_hash", "ledger_refuse", "ledger_is_history"}
)
"""What a node must know, because a delegated call or a trigger there needs it.

A batch is among them, and not delegated: it holds many members, and handed to one node it would reach for all the
others. A process that groups its batches by node calls it there.
"""


@dataclass(frozen=True)
class Table:
    """A table as the database has it; a partitioned one stands for its partitions."""

    name: str
    unlogged: bool = False
    partitions: int = 0
    unique: tuple[tuple[str, ...], ...] = ()
    columns: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    refers_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function of the ledger: its signature with types only, its first argument as declared, what else it calls."""

    name: str
    signature: str
    first: str = ""
    calls: tuple[str, ...] = ()

    @property
    def place(self) -> Call:
        """What is about one member runs where that member's rows lie."""
        if self.name in EVERYWHERE:
            return Call.EVERYWHERE
        return Call.DELEGATED if self.first == "p_member bigint" else Call.COORDINATOR


@dataclass(frozen=True)
class Catalogue:
    """What was found in a database."""

    database: str
    tables: tuple[Table, ...]
    functions: tuple[Function, ...]
    citus: str | None = None
    workers: int = 0
    coordinator_known: bool = False
    prepared_transactions: int = 0


@dataclass(frozen=True)
class Step:
    """A few statements that belong together, and why."""

    title: str
    statements: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def mistakes(found: Catalogue) -> list[str]:
    """What of the schema cannot go to Citus as it is; an empty list when everything can."""
    names = {table.name for table in found.tables}
    wrong = [f"table {name}: is declared but not there" for name in PLACES if name not in names]
    for table in found.tables:
        place = PLACES.get(table.name)
        if place is None:
            wrong.append(f"table {table.name}: is in no class; say in backend/cli/distribution.py where its rows lie")
        elif place in COLUMNS:
            wrong += _mistakes_of_distributed(table, COLUMNS[place])
        else:
            wrong += [
                f"table {table.name}: refers to {other}, whose rows lie elsewhere"
                for other in table.refers_to
                if PLACES.get(other) in COLUMNS or (place is Place.REFERENCE and PLACES.get(other) is Place.LOCAL)
            ]
    places = {function.name: function.place for function in found.functions}
    wrong += [f"function {name}: is declared but not there" for name in sorted(EVERYWHERE - places.keys())]
    wrong += [
        f"function {function.name}: runs {function.place}, where {other} is not known"
        for function in found.functions
        if function.place is not Call.COORDINATOR
        for other in function.calls
        if places.get(other) is Call.COORDINATOR
    ]
    return wrong


def _mistakes_of_distributed(table: Table, column: str) -> Iterator[str]:
    if column not in table.columns:
        yield f"table {table.name}: has no column {column}"
    for key in table.unique:
        if column not in key:
            yield f"table {table.name}: the unique key ({', '.join(key)}) does not hold {column}"
    for other in table.refers_to:
        if PLACES.get(other) is not PLACES[table.name] and PLACES.get(other) is not Place.REFERENCE:
            yield f"table {table.name}: refers to {other}, whose rows lie elsewhere"


def lacking(found: Catalogue) -> list[str]:
    """What the cluster itself lacks before anything can be distributed."""
    if found.citus is None:
        return ["the database has no Citus: CREATE EXTENSION citus, here and on every worker"]
    wrong = []
    if int(found.citus.partition(".")[0]) < 12:
        wrong.append(f"Citus {found.citus}: 12 or newer is needed (identity columns)")
    if not found.coordinator_known:
        wrong.append("the coordinator is not in pg_dist_node: SELECT citus_set_coordinator_host('…')")
    if not found.workers:
        wrong.append("no worker is active: SELECT citus_add_node('…', 5432) for each")
    if not found.prepared_transactions:
        wrong.append("max_prepared_transactions is 0: set it to max_connections or more on every node, and restart")
    return wrong


def steps(found: Catalogue, *, shards: int) -> list[Step]:
    """The statements, in the order in which they must run; the schema's owner runs them on the coordinator."""
    tables = {table.name: table for table in found.tables}
    at = {place: [name for name in PLACES if PLACES[name] is place and name in tables] for place in Place}
    distributed = [*at[Place.MEMBER], *at[Place.KEY]]
    return [
        Step(
            "Triggers guard history on every shard; Citus asks to be told that they look at their own row only",
            (
                "SET citus.enable_unsafe_triggers = on",
                f"ALTER DATABASE {_name(found.database)} SET citus.enable_unsafe_triggers = on",
            ),
            tuple(f"{name}: {', '.join(tables[name].triggers)}" for name in distributed if tables[name].triggers),
        ),
        Step(
            "Small tables that everybody reads: a copy on every node",
            tuple(f"SELECT create_reference_table({_text(name)})" for name in at[Place.REFERENCE]),
            tuple(
                f"{name} stays on the coordinator and refers to {other}: Citus keeps the key, so it manages the table"
                for name in at[Place.LOCAL]
                for other in tables[name].refers_to
                if PLACES.get(other) is Place.REFERENCE
            ),
        ),
        Step(
            f"What a plan touches: by member, all of a member's rows on one node, {shards} shards",
            tuple(_distribute(tables[name], shards) for name in at[Place.MEMBER]),
            tuple(_caveats(tables[name] for name in distributed)),
        ),
        Step(
            "The home of keys, by key: the one statement of a posting that leaves the member's node (two-phase commit)",
            tuple(_distribute(tables[name], shards) for name in at[Place.KEY]),
        ),
        Step("Functions", tuple(_functions(found.functions)), tuple(_staying(found.functions))),
        Step("Statistics of the shards", tuple(f"ANALYZE {name}" for name in distributed)),
    ]


def _staying(functions: Sequence[Function]) -> list[str]:
    names = sorted({function.name for function in functions if function.place is Call.COORDINATOR})
    return [f"{name} runs on the coordinator" for name in names]


def _distribute(table: Table, shards: int) -> str:
    column = COLUMNS[PLACES[table.name]]
    alone = table.name == HOME or PLACES[table.name] is Place.KEY
    beside = f"'none', shard_count => {shards}" if alone else _text(HOME)
    return f"SELECT create_distributed_table({_text(table.name)}, {_text(column)}, colocate_with => {beside})"


def _functions(functions: Sequence[Function]) -> Iterator[str]:
    # Not forced: a forced call may not leave its shard, and the home of keys lies elsewhere.
    for function in sorted(functions, key=lambda function: (list(Call).index(function.place), function.signature)):
        called = f"SELECT create_distributed_function({_text(function.signature)}"
        if function.place is Call.DELEGATED:
            yield f"{called}, 'p_member', colocate_with => {_text(HOME)})"
        elif function.place is Call.EVERYWHERE:
            yield f"{called})"


def _caveats(tables: Iterator[Table]) -> Iterator[str]:
    for table in tables:
        if table.partitions:
            yield f"{table.name} goes with its {table.partitions} partitions; new ones are distributed when made"
        for column in table.identity:
            yield f"{table.name}.{column} is an identity: its numbers jump between nodes; no undistribute_table"
        if table.unlogged:
            yield f"{table.name} is unlogged on every node"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
