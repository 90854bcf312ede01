"""The letters of surveys. What happens to answers is no fact for other domains: an anonymous one must lead nowhere."""

from __future__ import annotations

from backend.messages import service as messages
from backend.messages.types import Builtin, Channel, Purpose, Variable

INVITED = Builtin(
    "survey.invited",
    Purpose.SURVEY,
    "想听听您的意见",
    "诚邀您填写“{title}”，只需几分钟。",
    channels=(Channel.INBOX, Channel.WECHAT),
    variables=(Variable("title", label="问卷标题", sample="到店体验"),),
)

messages.declare(INVITED)
