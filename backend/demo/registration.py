"""Rules for who registers, applications that wait, a table from an old system, memberships that end, and a batch."""

from __future__ import annotations

from datetime import timedelta

from backend.audience.types import Audience
from backend.auth import queries as auth
from backend.auth.types import StaffCaller
from backend.kernel import clock, db
from backend.kernel.config import settings
from backend.members import joins
from backend.members import service as members
from backend.members.types import NewMember, Status
from backend.registration.commands import applications, batches, imports
from backend.registration.schemas.batches import BatchIn
from backend.registration.types import Mode, Outcome, Policy, Rule, When

POLICY = Policy(
    version=0,
    mode=Mode.RULES,
    rules=(
        Rule(
            title="虚拟号段人工核实",
            when=When(phone_prefixes=("162", "165", "167", "170", "171")),
            outcome=Outcome.QUEUE,
        ),
        Rule(title="未满 14 岁", when=When(age_to=13), outcome=Outcome.REJECT, reason="未满 14 岁请由监护人注册"),
        Rule(
            title="深夜收银台登记",
            when=When(channels=(joins.Channel.TILL,), hour_from=23, hour_to=6),
            outcome=Outcome.QUEUE,
        ),
    ),
    otherwise=Outcome.APPROVE,
)
APPLICANTS = (("17000000001", "方圆"), ("17100000002", "石磊"), ("16200000003", "林小满"))
OLD = """手机号,姓名,生日,门店编号,积分,积分有效期至
13700000001,沈文,1962-12-28,,,
13700000002,舒庆,1966-02-03,,,
13700000003,萧梅,1971-06-01,,,
"""
FLAWED = """手机号,姓名,生日,储值本金（元）
13700000011,郁达,1969-12-07,100.00
1370000,丁琳,1970-10-12,50.00
13700000013,李尧,2099-11-25,20.00
"""


async def load() -> None:
    """Set the policy, let some wait, import a table and have another checked, and change memberships."""
    staff_id = await db.fetchval("SELECT id FROM auth_staff WHERE username = 'admin'")
    admin = await auth.get_caller(staff_id)
    await applications.set_policy(POLICY, admin)
    for phone, name in APPLICANTS:
        await _apply(phone, name)
    await _import(OLD, "旧系统会员（第一批）", admin, dry_run=False)
    await _import(FLAWED, "旧系统会员（第二批，待修正）", admin, dry_run=True)
    await _change(admin)


async def _apply(phone: str, name: str) -> None:
    applicant = joins.Applicant(channel=joins.Channel.PHONE, phone=phone, name=name)
    judging = applications.ByPolicy()
    verdict = await judging.judge(applicant)
    async with db.transaction() as tx:
        joined = await members.join(tx, NewMember(phone=phone, name=name, status=verdict.status))
        assert joined.status is Status.PENDING
        await judging.applied(tx, joined.member_id, applicant, verdict, None)


async def _import(table: str, title: str, admin: StaffCaller, *, dry_run: bool) -> None:
    import_id = await imports.begin(
        table.encode(), "csv", title, skip_bad=False, dry_run=dry_run, caller=admin, key=f"demo-{title}"
    )
    await imports.run(import_id)


async def _change(admin: StaffCaller) -> None:
    """A membership of a year for some, which ends soon for them; and everybody's, which waits for a second person."""
    rows = await db.fetch(
        "SELECT member_no FROM member WHERE status = 'active' ORDER BY created_at, id OFFSET 80 LIMIT 5"
    )
    soon = clock.local_date(clock.now(), settings().timezone) + timedelta(days=20)
    few = BatchIn(
        kind="validity",
        reason="试用会员，三周后到期",
        change={"valid_until": soon.isoformat()},
        audience=Audience(member_nos=tuple(row["member_no"] for row in rows)),
    )
    batch_id = await batches.begin(few, admin, "demo-validity")
    await batches.run(batch_id)
    more = BatchIn(
        kind="validity",
        reason="金卡会员统一一年",
        change={"valid_until": "2027-12-31"},
        audience=Audience(levels=("gold",)),
    )
    await batches.begin(more, admin, "demo-gold")
