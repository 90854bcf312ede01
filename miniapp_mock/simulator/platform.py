"""What every part of the simulator shares, and the envelope around each signed call of Pay v3."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from .config import SimulatorConfig
from .crypto import SCHEME, PlatformKeys, parse_authorization, random_string
from .notify import Notifier
from .orders import request_id
from .state import Store
from .wire import PayError, json_response, read_body

MAX_SKEW_S = 300
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
SignedHandler: TypeAlias = Callable[[Request, bytes], Awaitable[tuple[int, Any]]]


@dataclass(frozen=True)
class Platform:
    """One simulated platform: its configuration, its memory, its keys, its post."""

    config: SimulatorConfig
    store: Store
    keys: PlatformKeys
    notifier: Notifier

    def signed(self, handler: SignedHandler) -> Handler:
        """A call of Pay v3: the merchant's signature is checked before, the answer is signed after.

        The handler returns a status and what to encode as JSON (None: no body).
        """

        async def endpoint(request: Request) -> Response:
            try:
                body = await read_body(request)
                self.check_signature(request, body)
            except PayError as error:
                return _stamp(json_response(error.document(), error.status))
            try:
                self._check_serial(request)
                status, value = await handler(request, body)
            except PayError as error:
                status, value = error.status, error.document()
            response = Response(status_code=status) if value is None else json_response(value, status)
            return self._sign(request, _stamp(response))

        return endpoint

    def open(self, handler: Handler) -> Handler:
        """A convenience call of the simulator itself: no signature, refusals as ``{"code","message"}``."""

        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request)
            except PayError as error:
                return json_response(error.document(), error.status)

        return endpoint

    def check_signature(self, request: Request, body: bytes = b"") -> None:
        """Refuse a request that the merchant did not sign."""
        header = request.headers.get("authorization", "")
        if not header.startswith(SCHEME + " "):
            raise _unsigned("Http头Authorization认证类型不正确")
        parts = parse_authorization(header)
        if parts is None or not parts["timestamp"].isascii() or not parts["timestamp"].isdigit():
            raise _unsigned("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
        if parts["mchid"] != self.config.mch_id:
            raise _unsigned("商户号不存在或未申请过证书")
        if parts["serial_no"].upper() != self.config.mch_serial.upper():
            raise _unsigned("商户证书序列号有误。请使用签名私钥匹配的证书序列号")
        if abs(self.config.now().timestamp() - int(parts["timestamp"][:15])) > MAX_SKEW_S:
            raise _unsigned("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
        tail = f"\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode() + body + b"\n"
        for target in sent_targets(request):
            if self.keys.merchant_signed(f"{request.method}\n{target}".encode() + tail, parts["signature"]):
                return
        raise _unsigned("错误的签名，验签失败", {"field": "signature", "issue": "sign not match"})

    def _serials(self) -> tuple[str | None, ...]:
        return (self.config.platform_serial, self.config.platform_public_key_id)

    def _check_serial(self, request: Request) -> None:
        wanted = request.headers.get("wechatpay-serial")
        if wanted and wanted not in self._serials():
            raise PayError(400, "INVALID_REQUEST", "Wechatpay-Serial 不是当前可用的平台证书序列号或微信支付公钥ID")

    def _sign(self, request: Request, response: Response) -> Response:
        wanted = request.headers.get("wechatpay-serial")
        serial = wanted if wanted and wanted in self._serials() else self.config.platform_serial
        timestamp, nonce = str(int(self.config.now().timestamp())), random_string(32)
        response.headers["Wechatpay-Timestamp"] = timestamp
        response.headers["Wechatpay-Nonce"] = nonce
        response.headers["Wechatpay-Signature"] = self.keys.sign(timestamp, nonce, bytes(response.body))
        response.headers["Wechatpay-Signature-Type"] = SCHEME
        response.headers["Wechatpay-Serial"] = serial
        return response


def sent_targets(request: Request) -> list[str]:
    """What the merchant may have signed: the target as sent, and the one without the prefix of the mount."""
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    query = request.scope.get("query_string", b"")
    target = path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    bare = re.sub(r"^.*?(?=/v3/)", "", target, count=1)
    root = request.scope.get("root_path", "")
    return list(dict.fromkeys((target, bare, root + bare)))


def _unsigned(message: str, detail: dict[str, Any] | None = None) -> PayError:
    return PayError(401, "SIGN_ERROR", message, detail)


def _stamp(response: Response) -> Response:
    response.headers["Request-ID"] = request_id()
    return response
