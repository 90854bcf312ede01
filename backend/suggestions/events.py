"""What members are told of suggestions that they signed. Of others nothing is published: an event names a member."""

from __future__ import annotations

from backend.messages import service as messages
from backend.messages.types import Builtin, Channel, Purpose, Variable

ANSWERED = Builtin(
    code="suggestion.answered",
    purpose=Purpose.SERVICE,
    title="您的意见有答复了",
    body="您于 {day} 提交的意见已答复，点开查看。",
    channels=(Channel.INBOX, Channel.WECHAT),
    variables=(Variable("day", label="提交日期", sample="11月27日"),),
)

messages.declare(ANSWERED)
