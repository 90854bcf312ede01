"""What is held of a member here, and by what stands below: the books, logins and phones."""

from __future__ import annotations

from datetime import datetime

from backend.kernel import db
from backend.kernel.db import Tx
from backend.ledger import service as ledger

from .holding import DELETED, Clash, Holding, Shown, Table, holds, kept, stripped
from .queries import CHANGE_CONTEXT, PHONE_CONTEXT

BOOKS = "the books: numbers that prove each other, hashed in a chain, and no name"
NUMBERS = "numbers that the chain of transfers needs; what they say stands in the transfers"


async def forget(tx: Tx, member_id: int, at: datetime) -> None:
    """Empty what documents say beside their value."""
    await ledger.forget(tx, member_id)


LEDGER = holds(
    Holding(
        name="ledger",
        title="账本",
        erase=forget,
        tables=(
            Table(
                "ledger_account",
                kept(BOOKS),
                Shown(
                    title="账户余额",
                    columns={"kind": "账户", "ref": "编号", "unit": "单位", "balance": "余额"},
                    key=("kind", "ref"),
                ),
            ),
            Table(
                "ledger_transfer",
                kept(BOOKS),
                Shown(
                    title="交易",
                    columns={"seq": "序号", "at": "时间", "kind": "种类", "document_id": "单据"},
                    key=("seq",),
                ),
            ),
            Table(
                "ledger_entry",
                kept(BOOKS),
                Shown(
                    title="账户明细",
                    columns={
                        "seq": "序号",
                        "at": "时间",
                        "kind": "账户",
                        "ref": "编号",
                        "unit": "单位",
                        "amount": "增减",
                        "balance_after": "余额",
                    },
                    key=("seq", "leg", "at"),
                    only="kind NOT LIKE 'house.%'",
                ),
            ),
            Table(
                "ledger_lot",
                kept(BOOKS),
                Shown(
                    title="储值、积分与券的批次",
                    columns={
                        "kind": "账户",
                        "ref": "编号",
                        "part": "部分",
                        "source": "来源",
                        "issued": "原有",
                        "remaining": "剩余",
                        "issued_at": "时间",
                        "expires_on": "到期日",
                    },
                    key=("lot_id",),
                ),
            ),
            Table(
                "ledger_document",
                kept("the books' documents: sales, recharges, refunds; what is no value in them (memo) is emptied"),
                Shown(
                    title="单据",
                    columns={
                        "id": "编号",
                        "kind": "种类",
                        "state": "状态",
                        "store_id": "门店",
                        "at": "时间",
                        "body": "内容",
                        "memo": "备注",
                    },
                    key=("id",),
                    only="kind <> 'points_transfer'",  # names who else; the list of points given on does not
                ),
            ),
            Table("ledger_head", kept(NUMBERS), unshown=NUMBERS),
            Table("ledger_lot_move", kept(NUMBERS), unshown=NUMBERS),
            Table("ledger_guard", kept(NUMBERS), unshown="marks and counters against doing a thing twice"),
            Table("ledger_key", kept("answers to requests that may come again"), unshown="the same as the documents"),
            Table("ledger_key_home", kept("which document a request made"), unshown="the same as the documents"),
            Table("ledger_rolled", kept(NUMBERS), unshown=NUMBERS),
            Table("outbox", kept("gone within seconds, when it has been worked on"), unshown="gone within seconds"),
        ),
        stays=(
            "ledger_account",
            "ledger_transfer",
            "ledger_entry",
            "ledger_lot",
            "ledger_document",
            "ledger_head",
            "ledger_lot_move",
            "ledger_guard",
            "ledger_key",
            "ledger_key_home",
            "ledger_rolled",
            "outbox",
        ),
    )
)

LOGINS = holds(
    Holding(
        name="auth",
        title="登录与设备",
        tables=(
            Table(
                "auth_session",
                DELETED,
                Shown(
                    title="登录记录",
                    columns={
                        "created_at": "登录时间",
                        "refreshed_at": "最近使用",
                        "expires_at": "有效至",
                        "ended_at": "结束时间",
                        "ended_why": "结束原因",
                        "agent": "手机与微信版本",
                    },
                    key=("id",),
                ),
                whose="identity_id IN (SELECT id FROM auth_wechat_identity WHERE member_id = $1)",
            ),
            Table(
                "auth_wechat_identity",
                DELETED,
                Shown(
                    title="绑定的微信",
                    columns={"openid": "微信 openid", "created_at": "首次登录", "bound_at": "绑定时间"},
                    key=("id",),
                ),
            ),
            Table("auth_handle", DELETED, unshown="pseudonyms of the dynamic code, of use to nobody"),
            Table(
                "auth_device",
                DELETED,
                Shown(
                    title="设备",
                    columns={"name": "名称", "created_at": "添加时间", "revoked_at": "停用时间"},
                    key=("id",),
                ),
            ),
            Table("auth_staff_phone", DELETED, unshown="that their phone speaks for a login, which is of their work"),
            Table(
                "auth_staff",
                stripped("the login belongs to their work here, not to the membership", member_id="NULL"),
                unshown="the login belongs to their work here, not to the membership",
            ),
        ),
        joined=("auth_wechat_identity", "auth_staff"),
        stays=("auth_session", "auth_handle", "auth_device", "auth_staff_phone"),
    )
)

APPROVALS = holds(
    Holding(
        name="approvals",
        title="审批",
        tables=(
            Table(
                "approval",
                stripped("that somebody asked for something and another decided it; not why", reason="''", note="''"),
                unshown="what staff asked one another; what came of it is listed",
                whose="$1::bigint::text IN (body->>'member_id', body->>'source_id', body->>'target_id')",
            ),
        ),
        stays=("approval",),
    )
)

_BOTH = """
SELECT s.name <> t.name AS name, s.birthday <> t.birthday AS birthday,
       s.gender <> t.gender AND 'unknown' NOT IN (s.gender, t.gender) AS gender, s.status <> 'active' AS standing,
       (SELECT count(*) = 2 FROM member_pin WHERE member_id IN ($1, $2)) AS pin,
       (SELECT count(DISTINCT member_id) = 2 FROM auth_wechat_identity WHERE member_id IN ($1, $2)) AS wechat
  FROM member s, member t WHERE s.id = $1 AND t.id = $2"""
_CLASHES = {
    "name": ("姓名不同", "保留目标会员的姓名"),
    "birthday": ("生日不同", "保留目标会员的生日"),
    "gender": ("性别不同", "保留目标会员的性别"),
    "standing": ("来源会员不是正常状态（冻结、过期等）", "目标会员保持正常，来源的价值随合并可用"),
    "pin": ("双方都设有支付密码", "保留目标会员的支付密码"),
    "wechat": ("双方都绑定了微信", "两个微信都登录到目标会员"),
}


async def _clashes(tx: Tx, source_id: int, target_id: int) -> list[Clash]:
    """What both say of themselves, and differently."""
    (row,) = await db.fetch_in(tx, _BOTH, source_id, target_id)
    return [Clash(code=code, title=title, kept=kept) for code, (title, kept) in _CLASHES.items() if row[code]]


MEMBERS = holds(
    Holding(
        name="members",
        title="会员资料",
        tables=(
            Table(
                "member_growth",
                kept("what each sale counted; amounts without a name"),
                Shown(
                    title="成长值",
                    columns={"at": "时间", "source_id": "单据", "growth_fen": "成长值（分）"},
                    key=("at", "id"),
                ),
            ),
            Table(
                "member_change",
                stripped(
                    "that something was changed, when and by whom; not from what to what",
                    before_sealed="NULL",
                    after_sealed="NULL",
                    reason="NULL",
                    erased="true",
                ),
                Shown(
                    title="资料变更",
                    columns={
                        "at": "时间",
                        "actor": "变更人",
                        "field": "字段",
                        "before_sealed": "原值",
                        "after_sealed": "新值",
                        "reason": "原因",
                    },
                    key=("id",),
                    sealed={"before_sealed": CHANGE_CONTEXT, "after_sealed": CHANGE_CONTEXT},
                ),
            ),
            Table("member_value", DELETED, unshown="the same as the profile's attributes, to be found by"),
            Table("member_pin", DELETED, unshown="a secret, kept as a hash"),
            Table(
                "member_pin_act",
                stripped("that staff ended a PIN, which they answer for", reason="''"),
                Shown(
                    title="支付密码的人工处理",
                    columns={"at": "时间", "act": "处理", "store_id": "门店", "proof": "本人核验", "reason": "原因"},
                    key=("at", "id"),
                ),
            ),
            Table(
                "member_consent",
                kept("proof of what was agreed to, in which version"),
                Shown(
                    title="同意的协议",
                    columns={"agreed_at": "时间", "kind": "协议", "version": "版本"},
                    key=("agreed_at", "id"),
                ),
            ),
            Table(
                "member",
                stripped(
                    "the number that books, orders and documents refer to",
                    name="'已注销'",
                    phone_sealed="''",
                    phone_index="'erased:' || id",
                    birthday="NULL",
                    gender="'unknown'",
                    referrer_id="NULL",
                    attributes="'{}'",
                ),
                Shown(
                    title="资料",
                    columns={
                        "member_no": "会员号",
                        "name": "姓名",
                        "phone_sealed": "手机号",
                        "birthday": "生日",
                        "gender": "性别",
                        "store_id": "归属门店",
                        "level_id": "等级",
                        "status": "状态",
                        "stage": "阶段",
                        "growth_fen": "成长值（分）",
                        "attributes": "其他资料",
                        "created_at": "加入时间",
                    },
                    key=("id",),
                    sealed={"phone_sealed": PHONE_CONTEXT},
                ),
                whose="id = $1",
            ),
        ),
        joined=("member_growth", "member_pin", "member_consent", "member_value", "member"),
        stays=("member_change", "member_pin_act"),
        clashes=_clashes,
    )
)
