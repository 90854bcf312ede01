"""What WeChat pushes: messages of members to the customer service, signed and not."""

from __future__ import annotations

from collections.abc import Sequence

from ..journal import Request
from ..signing import push_signature
from ..world import Op, World
from . import Domain, Operation

_TEXT = (
    "<xml><ToUserName>gh_0</ToUserName><FromUserName>{openid}</FromUserName><CreateTime>{at}</CreateTime>"
    "<MsgType>text</MsgType><Content>{text}</Content><MsgId>{id}</MsgId></xml>"
)


class Wechat(Domain):
    """Messages move nothing: those that WeChat signed are taken, all others are refused."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.message_ids: set[int] = set()
        """Of all that members wrote; what is stored of them, ``chats`` looks at."""

    @property
    def operations(self) -> Sequence[Operation]:
        """What arrives at the push address."""
        return (Operation("message", 2, self.push), Operation("forged message", 1, self.forge))

    def _request(self, op: Op, *, token: str, body: bytes | None = None) -> Request:
        at, nonce = int(self.world.now()), self.world.unique()
        openid = f"openid-{self.world.pick(op.random).who}"
        text = _TEXT.format(openid=openid, at=at, text="余额", id=op.number + 1).encode()
        query = f"signature={push_signature(token, str(at), nonce)}&timestamp={at}&nonce={nonce}"
        return Request(None, "POST", f"/v1/wechat/push?{query}", text if body is None else body)

    async def push(self, op: Op) -> None:
        """A member writes; the clock may move between signing and arriving."""
        self.message_ids.add(op.number + 1)
        refusals = frozenset({"signature_invalid"})
        await self.world.ask(op, self._request(op, token=self.world.wechat["push_token"]), refusals=refusals)

    async def forge(self, op: Op) -> None:
        """Somebody else writes, or WeChat's signature stands over nonsense."""
        if op.random.random() < 0.5:
            request = self._request(op, token="guessed")  # noqa: S106 - a wrong one
            await self.world.ask_in_vain(op, request, refusals=frozenset({"signature_invalid"}))
        else:
            body = op.random.choice((b"<xml>", b"{}", b"<a>" * 200, b"\xff\xfe"))
            request = self._request(op, token=self.world.wechat["push_token"], body=body)
            refusals = frozenset({"notification_refused", "signature_invalid"})
            await self.world.ask_in_vain(op, request, refusals=refusals)
