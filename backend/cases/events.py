"""What members are told of their cases: texts that staff may change."""

from __future__ import annotations

from backend.messages import service as messages
from backend.messages.types import Builtin, Channel, Purpose, Variable

ANSWERED = Builtin(
    code="case.answered",
    purpose=Purpose.SERVICE,
    title="您的反馈有答复了",
    body="您于 {day} 提交的反馈（{kind}）已答复，请查看并确认是否解决。",
    channels=(Channel.INBOX, Channel.WECHAT),
    variables=(Variable("day", label="提交日期", sample="11月27日"), Variable("kind", label="类别", sample="投诉")),
)
CLOSED = Builtin(
    code="case.closed",
    purpose=Purpose.SERVICE,
    title="您的反馈已办结",
    body="您于 {day} 提交的反馈（{kind}）已办结，欢迎评价。",
    channels=(Channel.INBOX,),
    variables=ANSWERED.variables,
)

GIVEN = Builtin(
    code="case.given",
    purpose=Purpose.SERVICE,
    title="给您的补偿已到账",
    body="您于 {day} 提交的反馈（{kind}），我们补偿您：{gift}，已放入您的账户。",
    channels=(Channel.INBOX, Channel.WECHAT),
    variables=(*ANSWERED.variables, Variable("gift", label="补偿内容", sample="200 积分")),
)

messages.declare(ANSWERED, CLOSED, GIVEN)
