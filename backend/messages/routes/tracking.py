"""Where the links of letters lead: on to their target, to a picture of nothing, or to the page that unsubscribes.

Open to all, believed only when signed. A link leads where its token says and nowhere else, also where its click cannot
be written down. Reading a page never unsubscribes: machines read every page.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote

from backend.kernel import db, logging
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Reply, Request, Router, public
from backend.kernel.vault import vault

from ..commands import returns, touching
from ..delivery import links, machines, pages
from ..delivery.links import For, Link
from ..delivery.machines import TouchKind
from ..service.recording import read_delivery_id
from ..types import Purpose

router = Router(tag="messages")
log = logging.get(__name__)

_LINK = "/v1/m/{token}"
_HTML = "text/html; charset=utf-8"
_NOTHING = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
"""A GIF of one transparent pixel."""
_KEPT = "%/:?#[]@!$&'()*+,;=~-._"
"""What stays as it is in a target; all else that is no letter or digit is percent-encoded."""
_ONE_CLICK = ("List-Unsubscribe", "One-Click")
_KINDS = {For.CLICK: TouchKind.CLICK, For.OPEN: TouchKind.OPEN, For.TRAP: TouchKind.TRAP}
_QUIET = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


# Before the other: a segment that ends in .gif is both.
@router.get(_LINK + ".gif", guard=public, rate_limited=False, quiet=True, errors=(NotFound,), summary="邮件打开")
async def open_letter(token: str, request: Request) -> Reply:
    """A picture of one pixel; that it was asked for says that the letter was opened."""
    link = links.read(token)
    if link is None or link.kind is not For.OPEN:
        raise NotFound
    await _note(link, request)
    return Reply(_NOTHING, "image/gif", 200, _QUIET)


@router.get(_LINK, guard=public, rate_limited=False, quiet=True, errors=(NotFound,), summary="邮件和短信里的链接")
async def follow(token: str, request: Request) -> Reply:
    """On to where the link leads: what its token says, which we signed, or the phone page. Never anywhere else."""
    link = links.read(token)
    if link is None or link.kind not in (For.CLICK, For.TRAP):
        raise NotFound
    await _note(link, request)
    target = link.target if link.kind is For.CLICK else settings().phone_url or settings().base_url
    return Reply(b"", "text/plain; charset=utf-8", 302, {**_QUIET, "Location": quote(target, safe=_KEPT)})


@router.get(f"{_LINK}/unsubscribe", guard=public, errors=(NotFound,), summary="退订页面")
async def ask(token: str) -> Reply:
    """The page that asks whether to unsubscribe; reading it changes nothing."""
    link = _unsubscribing(token)
    if link is None:
        raise NotFound
    return _page(pages.ask(settings().chain_name, link.channel, Purpose(link.target)))


@router.post(
    f"{_LINK}/unsubscribe", guard=public, body_limit=1024, errors=(NotFound, ValidationFailed), summary="退订（一键）"
)
async def unsubscribe(token: str, body: bytes) -> Reply:
    """Unsubscribe at once: the mailbox's own button (RFC 8058), or one of the page's. Asking again changes nothing."""
    link = _unsubscribing(token)
    named = read_delivery_id(link.delivery_id) if link else None
    if link is None or named is None:
        raise NotFound
    purposes = returns.WITH_CONSENT if _scope(body) == "channel" else (Purpose(link.target),)
    await returns.unsubscribe(named[0], link.channel, purposes)
    said = "任何推广、关怀和调查" if len(purposes) > 1 else pages.PURPOSES[purposes[0]]
    return _page(pages.done(settings().chain_name, link.channel, said))


def _unsubscribing(token: str) -> Link | None:
    link = links.read(token)
    return link if link is not None and link.kind is For.UNSUBSCRIBE else None


def _scope(body: bytes) -> str:
    """``purpose`` or ``channel``; a form that is neither the standard's nor ours is refused."""
    try:
        form = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=4)
    except ValueError:
        form = {}
    if form.get(_ONE_CLICK[0]) == [_ONE_CLICK[1]]:
        return "purpose"
    if form.get("scope") in (["purpose"], ["channel"]):
        return form["scope"][0]
    raise invalid("/scope", "is List-Unsubscribe=One-Click, scope=purpose or scope=channel")


def _page(html: str) -> Reply:
    return Reply(html.encode(), _HTML, 200, pages.HEADERS)


async def _note(link: Link, request: Request) -> None:
    client = vault().derive("message.client", f"{request.client}\n{request.headers.get('user-agent', '')}".encode())
    said_so = machines.says_so(request.method, request.headers)
    try:
        await touching.touch(link, _KINDS[link.kind], client=client.hex()[:16], said_so=said_so)
    except db.UNREACHABLE as error:
        log.warning("messages.click_not_noted", error=type(error).__name__)
