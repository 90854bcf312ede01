"""A merchant's side of Pay v3, written for the tests alone, and a server that takes notifications."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from miniapp_mock.simulator import SimulatorConfig

MOUNT = "/mock/wechat"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


class Merchant:
    """Signs requests, checks answers and notifications, opens what is encrypted."""

    def __init__(
        self, http: httpx.AsyncClient, config: SimulatorConfig, key: rsa.RSAPrivateKey, platform: rsa.RSAPublicKey
    ) -> None:
        self.http, self.config, self.key, self.platform = http, config, key, platform
        self.notify_url = ""

    def authorization(self, method: str, target: str, body: bytes, **changed: str) -> str:
        parts = {
            "mchid": self.config.mch_id,
            "nonce_str": secrets.token_hex(16),
            "timestamp": str(int(time.time())),
            "serial_no": self.config.mch_serial,
        } | changed
        message = f"{method}\n{target}\n{parts['timestamp']}\n{parts['nonce_str']}\n".encode() + body + b"\n"
        parts["signature"] = base64.b64encode(self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
        return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    async def call(
        self,
        method: str,
        target: str,
        value: Any = None,
        *,
        signed_target: str | None = None,
        serial: str | None = None,
    ) -> httpx.Response:
        body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
        headers = {"Authorization": self.authorization(method, signed_target or MOUNT + target, body)}
        if serial:
            headers["Wechatpay-Serial"] = serial
        answer = await self.http.request(method, MOUNT + target, content=body, headers=headers)
        if answer.status_code != 401:
            assert self.verifies(answer.headers, answer.content)
        return answer

    def verifies(self, headers: Any, body: bytes) -> bool:
        if "wechatpay-signature" not in headers:
            return False
        message = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
        try:
            signature = base64.b64decode(headers["wechatpay-signature"])
            self.platform.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except Exception:
            return False
        return True

    def open(self, resource: dict[str, str]) -> Any:
        cipher = AESGCM(self.config.api_v3_key.encode())
        return json.loads(self.open_bytes(cipher, resource))

    @staticmethod
    def open_bytes(cipher: AESGCM, resource: dict[str, str]) -> bytes:
        sealed = base64.b64decode(resource["ciphertext"])
        return cipher.decrypt(resource["nonce"].encode(), sealed, resource["associated_data"].encode())

    def terms(self, out_trade_no: str, total: int = 500, **changed: Any) -> dict[str, Any]:
        return {
            "appid": self.config.app_id,
            "mchid": self.config.mch_id,
            "description": "储值 ¥5.00",
            "out_trade_no": out_trade_no,
            "notify_url": self.notify_url,
            "amount": {"total": total, "currency": "CNY"},
            "payer": {"openid": "openid-amy"},
        } | changed

    async def order(self, out_trade_no: str, total: int = 500, **changed: Any) -> httpx.Response:
        return await self.call("POST", "/v3/pay/transactions/jsapi", self.terms(out_trade_no, total, **changed))

    async def query(self, out_trade_no: str) -> Any:
        target = f"/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={self.config.mch_id}"
        return (await self.call("GET", target)).json()

    async def close(self, out_trade_no: str) -> httpx.Response:
        target = f"/v3/pay/transactions/out-trade-no/{out_trade_no}/close"
        return await self.call("POST", target, {"mchid": self.config.mch_id})

    async def refund(self, out_trade_no: str, out_refund_no: str, refund: int, total: int = 500) -> httpx.Response:
        body = {
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "reason": "退款",
            "notify_url": self.notify_url,
            "amount": {"refund": refund, "total": total, "currency": "CNY"},
        }
        return await self.call("POST", "/v3/refund/domestic/refunds", body)

    async def pay(self, out_trade_no: str, decision: dict[str, Any] | None = None) -> httpx.Response:
        return await self.http.post(f"{MOUNT}/pay/{out_trade_no}/pay", json=decision)

    async def faults(self, **faults: Any) -> None:
        answer = await self.http.put(f"{MOUNT}/faults", json=faults)
        assert answer.status_code == 200, answer.text


class Receiver:
    """What a merchant's server was told; ``answers`` are the statuses of the next ones, then 204."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.pushes: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.push_answer = "success"

    async def notified(self, request: Request) -> Response:
        self.seen.append((dict(request.headers), await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 204)

    async def pushed(self, request: Request) -> Response:
        self.pushes.append((request.method, dict(request.query_params), await request.body()))
        return PlainTextResponse(self.push_answer or request.query_params.get("echostr", ""))
