"""What the other domains know of identities, callers, devices and shops."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from backend.kernel import trail

SESSION_CHECK = "session_check"
"""What is pushed on the live channel to make a member's sockets look whether their sessions still stand."""


BEGUN = "begun"
"""The code of a row of the audit log that precedes what no transaction of ours holds."""

HANDLE_AGE = timedelta(hours=24)
"""A handle this old is to be rotated at the phone's next contact."""


class Role(StrEnum):
    """The roles that every chain has; head office may add others, which go by their code alone."""

    ADMIN = "admin"
    MEMBER_CENTRE = "member_centre"
    MANAGER = "manager"
    CLERK = "clerk"
    MARKETING = "marketing"
    FINANCE = "finance"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """Where a role is held: in head office, in one store, or in either."""

    OFFICE = "office"
    STORE = "store"
    ANY = "any"


_LETTERS = {
    "m": Role.MANAGER, "c": Role.CLERK, "b": Role.MEMBER_CENTRE, "k": Role.MARKETING, "f": Role.FINANCE,
    "a": Role.AUDITOR,
}  # fmt: skip


class Permission(StrEnum):
    """What somebody of the staff may be allowed: code, Chinese name, and the built-in roles that hold it.

    ``holders``: a letter a role (m manager, c clerk, b member centre, k marketing, f finance, a auditor); ``admin``
    holds all. ``office``: what it opens does not go by store, so nobody of a store holds it, whatever the role says.
    """

    label: str
    holders: frozenset[Role]
    office: bool

    def __new__(cls, code: str, label: str, letters: str = "", *marks: str) -> Permission:
        made = str.__new__(cls, code)
        made._value_ = code
        made.label = label
        made.holders = frozenset(_LETTERS[letter] for letter in letters)
        made.office = "office" in marks
        return made

    STORES_READ = "stores.read", "查看门店", "mcbkfa"
    STORES_WRITE = "stores.write", "新增门店", "", "office"
    TERMINALS_MANAGE = "terminals.manage", "管理收银终端", "m"
    STAFF_READ = "staff.read", "查看员工与会话", "a"
    STAFF_MANAGE = "staff.manage", "管理员工、邀请与会话", "", "office"
    ROLES_MANAGE = "roles.manage", "设定角色权限", "", "office"
    FEEDS_MANAGE = "feeds.manage", "管理数据订阅与推送", "", "office"
    AUDIT_READ = "audit.read", "查看操作日志", "ma"

    MEMBERS_READ = "members.read", "查看会员与等级", "mcbkfa"
    MEMBERS_DECIDE = "members.decide", "审核、冻结会员", "mb"
    MEMBERS_EDIT = "members.edit", "修改会员资料", "mb"
    MEMBERS_PHONE = "members.phone", "更换会员手机号", "b"
    MEMBERS_HISTORY = "members.history", "查看会员资料变更", "mba"
    REGISTRATION_RULES = "registration.rules", "设定注册审核规则", "b", "office"
    MEMBERS_CREATE = "members.create", "登记新会员", "mcb"
    MEMBERS_IMPORT = "members.import", "导入会员", "b", "office"
    MEMBERS_BATCH = "members.batch", "批量变更会员", "mb"
    MEMBERS_MERGE = "members.merge", "合并会员", "b", "office"
    MEMBER_FIELDS = "member_fields.write", "设定扩展属性与资料规则", "b", "office"
    LEVELS_WRITE = "levels.write", "设定会员等级", "b", "office"
    LEVELS_GRANT = "levels.grant", "授予、收回会员等级", "mb"
    STAGES_READ = "stages.read", "查看会员生命周期", "mbka"
    STAGES_WRITE = "stages.write", "设定会员生命周期", "bk", "office"
    MEMBER_CARDS_READ = "member_cards.read", "查看会员卡", "mcbfa"
    MEMBER_CARDS_ISSUE = "member_cards.issue", "发卡、补卡、挂失", "mcb"
    PINS_RESET = "pins.reset", "初始化、解锁支付密码", "mb"
    MEMBER_CARDS_MANAGE = "member_cards.manage", "设定卡种、制卡、配卡", "b", "office"
    GROUPS_READ = "groups.read", "查看大客户与团体", "mcbfa"
    GROUPS_MANAGE = "groups.manage", "管理大客户与团体", "b", "office"
    CONTACT_READ = "contact.read", "查看会员卡片", "mcb"
    CONTACT_FULL = "contact.full", "查看会员卡片全部内容", "mb"
    CONTACT_LOOKS = "contact.looks", "查看谁看过会员", "a", "office"

    PRIVACY_READ = "privacy.read", "查看授权与隐私申请", "mbka"
    PRIVACY_TEXTS = "privacy.texts", "发布协议与授权文本", "", "office"
    PRIVACY_SERVE = "privacy.serve", "登记书面授权、代申请个人数据", "mb"
    PRIVACY_ERASE = "privacy.erase", "代会员申请、批准注销", "mb"

    RECHARGES_READ = "recharges.read", "查看充值优惠", "kfa", "office"
    RECHARGES_WRITE = "recharges.write", "设定充值优惠", "k", "office"
    STORED_READ = "stored.read", "查看会员充值、退款与对账单", "mbfa"
    STORED_REFUND = "stored.refund", "发起充值退款", "mbf"
    STORED_DECIDE = "stored.decide", "审核、中止充值退款", "mf"
    COUPONS_READ = "coupons.read", "查看券模板与批次", "kbfa", "office"
    COUPONS_WRITE = "coupons.write", "设定券模板", "k", "office"
    COUPONS_ISSUE = "coupons.issue", "发券、制券码", "k", "office"
    COUPONS_LOOKUP = "coupons.lookup", "查看会员的券", "mbkfa"
    COUPONS_VOID = "coupons.void", "作废会员的券", "b", "office"
    GIFT_CARDS_READ = "gift_cards.read", "查看礼品卡", "bfa", "office"
    GIFT_CARDS_WRITE = "gift_cards.write", "设定礼品卡品种", "", "office"
    GIFT_CARDS_PRINT = "gift_cards.print", "制卡、导出卡号与密码", "", "office"
    GIFT_CARDS_SEARCH = "gift_cards.search", "按卡号查礼品卡", "mb"
    GIFT_CARDS_MANAGE = "gift_cards.manage", "冻结、换卡、延期", "b", "office"
    PASSES_READ = "passes.read", "查看服务卡", "mbfa"
    PASSES_REFUND = "passes.refund", "退服务卡", "mb"
    PASSES_MANAGE = "passes.manage", "赠送、作废服务卡", "b", "office"
    PASS_PRODUCTS_READ = "pass_products.read", "查看服务卡品种", "kbfa", "office"
    PASS_PRODUCTS_WRITE = "pass_products.write", "设定服务卡品种", "k", "office"
    CAMPAIGNS_READ = "campaigns.read", "查看集点活动", "kba", "office"
    CAMPAIGNS_WRITE = "campaigns.write", "设定集点活动", "k", "office"
    CAMPAIGNS_SERVE = "campaigns.serve", "为会员登记集点任务", "mb"
    POINTS_READ = "points.read", "查看积分规则与批次", "kbfa", "office"
    POINTS_RULES = "points.rules", "设定积分规则与有效期", "k", "office"
    POINTS_ADJUST = "points.adjust", "调整会员积分", "mb"
    OVERRIDES_GIVE = "overrides.give", "在收银台授权特价", "m"
    OVERRIDES_READ = "overrides.read", "查看特价授权", "mfa"
    OVERRIDES_LIMITS = "overrides.limits", "设定特价授权额度", "", "office"
    GIFTS_READ = "gifts.read", "查看积分商城礼品", "mcbkfa"
    GIFTS_WRITE = "gifts.write", "设定积分商城礼品", "k", "office"
    GIFTS_HANDLE = "gifts.handle", "交付、寄出、取消礼品兑换", "mcb"
    GIFTS_RETURN = "gifts.return", "退回已交付的礼品", "mb"
    SHIFTS_READ = "shifts.read", "查看收银班次与报表", "mfa"
    SHIFTS_CLOSE = "shifts.close", "代结收银班次", "m"
    SHIFTS_RESOLVE = "shifts.resolve", "处理班次差异", "mf"
    SHIFTS_DECIDE = "shifts.decide", "审批大额班次差异", "f"
    REBATES_READ = "rebates.read", "查看返利方案与批次", "kbfa", "office"
    REBATES_WRITE = "rebates.write", "设定、试算返利方案", "k", "office"
    REBATES_WORK = "rebates.work", "生成、确认、审批、发放返利", "f", "office"
    DISCOUNTS_READ = "discounts.read", "查看门店折扣", "mkfa"
    DISCOUNTS_WRITE = "discounts.write", "设定门店折扣", "k", "office"
    STATEMENTS_READ = "statements.read", "查看卡券结算与异常", "mfa"

    CATALOGUE_READ = "catalogue.read", "查看商品", "mkfa"
    CATALOGUE_INSPECT = "catalogue.inspect", "查看商品全部资料（含成本、供应商）", "fa", "office"
    CATALOGUE_WRITE = "catalogue.write", "维护商品资料、导入导出", "", "office"
    CATALOGUE_PUBLISH = "catalogue.publish", "商品上下架、门店图片", "m"
    PRICES_WRITE = "prices.write", "设定成本与限时价", "", "office"
    BANNERS_MANAGE = "banners.manage", "维护商城首页图", "k", "office"
    PROMOTIONS_MANAGE = "promotions.manage", "设定促销", "k", "office"
    DELIVERY_MANAGE = "delivery.manage", "设定配送规则", "", "office"
    SPOTS_MANAGE = "spots.manage", "维护推广点", "m"
    ORDERS_READ = "orders.read", "查看订单与售后", "mcbfa"
    ORDERS_HANDLE = "orders.handle", "备货、发货、登记售后", "mc"
    ORDERS_DECIDE = "orders.decide", "审核售后、人工交付", "m"
    ORDERS_REFUND = "orders.refund", "订单退款", "m"
    INVOICES_MANAGE = "invoices.manage", "处理发票", "mf"
    REVIEWS_READ = "reviews.read", "查看评价", "mcbka"
    REVIEWS_MANAGE = "reviews.manage", "显示或隐藏评价", "mbk"
    REPORTS_READ = "reports.read", "查看经营报表", "mfa"
    RECONCILIATION_READ = "reconciliation.read", "查看对账", "fa", "office"
    RECONCILIATION_WORK = "reconciliation.work", "重新对账、处理差异", "f", "office"
    CLEARING_READ = "clearing.read", "查看跨店结算", "mfa"
    CLEARING_SETTLE = "clearing.settle", "提出、批准跨店结算", "f", "office"

    STOCK_READ = "stock.read", "查看库存", "mcfa"
    STOCK_HANDLE = "stock.handle", "登记库存单据、盘点", "mc"
    STOCK_DECIDE = "stock.decide", "审核库存单据、设定预警线", "m"
    STOCK_DECIDE_LARGE = "stock.decide_large", "审核大额库存单据", "", "office"
    STOCK_PLACES = "stock.places", "新增仓库", "", "office"
    STOCK_PAYABLES = "stock.payables", "供应商应付与付款", "f", "office"

    CASES_HANDLE = "cases.handle", "处理反馈", "mcb"
    CASES_GIVE = "cases.give", "用积分、优惠券补偿反馈", "mcb"
    CASES_GIFTS = "cases.gifts", "设定门店可补偿的优惠券", "bk", "office"
    CASES_LEAD = "cases.lead", "跟进逾期反馈", "mb"
    CASES_REPORT = "cases.report", "查看、导出反馈统计", "mba"
    SUGGESTIONS_HANDLE = "suggestions.handle", "处理意见", "mcb"
    SUGGESTION_BOXES = "suggestions.boxes", "管理意见箱", "b", "office"
    SURVEYS_READ = "surveys.read", "查看问卷、代填答卷", "mcbk"
    SURVEYS_WRITE = "surveys.write", "设计、发布问卷", "bk", "office"
    SURVEYS_RESULTS = "surveys.results", "查看问卷统计", "mbka"
    SURVEYS_ANSWERS = "surveys.answers", "查看匿名答卷、交叉分析", "bk", "office"
    CONVERSATIONS_HANDLE = "conversations.handle", "客服接待", "mcb"
    CONVERSATIONS_LEAD = "conversations.lead", "改派会话、维护常用语", "mb"
    CONVERSATIONS_RULES = "conversations.rules", "设定自动回复", "b", "office"

    CARE_HANDLE = "care.handle", "执行关怀任务", "mcb"
    CARE_PLAN = "care.plan", "设定关怀计划", "bk", "office"
    MESSAGES_READ = "messages.read", "查看消息、模板与统计", "mbka"
    MESSAGES_SEND = "messages.send", "群发消息", "mbk"
    MESSAGES_SERVICE = "messages.service", "群发服务类消息", "", "office"
    MESSAGES_TEMPLATES = "messages.templates", "设定消息模板", "k", "office"
    MESSAGES_CONSENTS = "messages.consents", "登记会员的接收意愿", "mb"
    MESSAGES_LABELS = "messages.labels", "打印地址标签", "mb"
    ANNOUNCEMENTS_MANAGE = "announcements.manage", "发布公告", "mk"
    HANDBOOK_READ = "handbook.read", "查看服务手册", "mcbkfa"
    HANDBOOK_WRITE = "handbook.write", "编写服务手册", "b", "office"

    @property
    def area(self) -> str:
        """What it is about: the part before the dot."""
        return self.value.split(".", 1)[0]


class Standing(StrEnum):
    """How far an identity is registered; it follows the status of the member it is bound to."""

    NONE = "none"
    PENDING = "pending"
    ACTIVE = "active"
    FROZEN = "frozen"
    EXPIRED = "expired"


class Store(msgspec.Struct, frozen=True):
    """A shop: ``timezone`` is an IANA name and decides its days."""

    id: str
    name: str
    timezone: str
    address: str = ""


class Identity(msgspec.Struct, frozen=True):
    """A WeChat account and whom it acts for."""

    id: int
    openid: str
    member_id: int | None
    standing: Standing


class SessionCaller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody logged in through WeChat, perhaps not registered."""

    session_id: int
    identity_id: int
    openid: str
    standing: Standing
    member_id: int | None
    token_expires_at: int
    rate_key: str
    rate_per_minute: int


class MemberCaller(msgspec.Struct, frozen=True, kw_only=True):
    """A registered member in one session."""

    session_id: int
    member_id: int
    openid: str
    token_expires_at: int
    rate_key: str
    rate_per_minute: int


class TerminalCaller(msgspec.Struct, frozen=True, kw_only=True):
    """A till that signed its request."""

    terminal_id: str
    store_id: str
    rate_key: str
    rate_per_minute: int


class StaffCaller(msgspec.Struct, frozen=True, kw_only=True):
    """Staff in a session; ``store_id`` is None for head office only."""

    staff_id: int
    session_id: int
    role: str
    store_id: str | None
    permissions: frozenset[Permission] = frozenset()
    rate_key: str
    rate_per_minute: int

    @property
    def office(self) -> bool:
        """Whether this person belongs to head office, which sees every store."""
        return self.store_id is None

    def may(self, permission: Permission) -> bool:
        """Whether this person's role holds the permission where they work."""
        return permission in self.permissions

    def reaches(self, store_id: str | None) -> bool:
        """Whether this person may see what belongs to that store; what belongs to none is head office's.

        Where it is head office that asks, the audit log notes which store's things the call is about.
        """
        if self.office and store_id is not None:
            trail.reached(store_id)
        return self.office or store_id == self.store_id


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was opened: the tokens exist nowhere else."""

    session_id: int
    identity_id: int
    member_id: int | None
    standing: Standing
    access_token: str
    refresh_token: str
    expires_in: int


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """A new pair; the refresh token it was made from is dead."""

    access_token: str
    refresh_token: str
    expires_in: int


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """What shows dynamic codes: a phone (``session_id`` None) or the server on behalf of one session."""

    id: int
    member_id: int
    name: str
    handle: str
    handle_at: datetime
    suspect: bool
    session_id: int | None
    created_at: datetime

    def rotation_due(self, now: datetime) -> bool:
        """Whether the phone should ask for a new handle: this one is a day old, or somebody guesses at it."""
        return self.suspect or now - self.handle_at >= HANDLE_AGE


class DeviceSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A device with its secret (32 bytes): given out once, or used to make codes on the server."""

    id: int
    member_id: int
    handle: str
    secret: bytes

    @property
    def encoded_secret(self) -> str:
        """The secret as it goes over the wire: base64url without padding."""
        return base64.urlsafe_b64encode(self.secret).decode().rstrip("=")


class Terminal(msgspec.Struct, frozen=True, kw_only=True):
    """A till as staff see it."""

    id: str
    store_id: str
    name: str
    created_at: datetime
    previous_until: datetime | None
    revoked_at: datetime | None


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A person with a login, as head office sees it; ``member_id``: the member that person is, if known."""

    id: str
    username: str
    role: str
    store_id: str | None
    totp: bool
    active: bool
    member_id: str | None = None

    @property
    def office(self) -> bool:
        """Whether this person belongs to head office, which sees every store."""
        return self.store_id is None

    def reaches(self, store_id: str | None) -> bool:
        """Whether this person may see what belongs to that store; what belongs to none is head office's."""
        return self.store_id in (None, store_id)


class RoleInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A role as it stands: what it holds wherever it is held; people of a store hold nothing of ``office``.

    ``second_factor``: its people hold nothing until they have set up a second factor.
    """

    code: str
    title: str
    scope: Scope
    builtin: bool
    permissions: frozenset[Permission]
    second_factor: bool
    version: int


class Person(msgspec.Struct, frozen=True):
    """Somebody of the staff, as a command that changes them sees them under their lock."""

    id: int
    username: str
    role: str
    store_id: str | None
    active: bool


class Tie(msgspec.Struct, frozen=True):
    """Why a login may be in somebody else's hands: at that instant ``holder`` made it or set its password by a link."""

    login: int
    holder: int
    at: datetime


class Sender(msgspec.Struct, frozen=True):
    """Where a call came from: address, the program's own name for itself, and the id of the request."""

    address: str
    agent: str
    request_id: str


class HandleDevice(msgspec.Struct, frozen=True):
    """The device behind a handle, with its secret opened; ``usable`` says whether its codes count at an instant."""

    handle: str
    member_id: int
    device_id: int
    secret: bytes
    created_at: datetime
    good_until: datetime | None
    revoked_at: datetime | None
    suspect: bool

    def usable(self, at: datetime) -> bool:
        """Whether this handle made codes at that instant: not yet retired (or in its grace), its device not revoked."""
        if self.revoked_at is not None and at >= self.revoked_at:
            return False
        return self.good_until is None or at < self.good_until
