"""A simulator of the WeChat platform: login, phone number, messages, Pay v3, message push.

It speaks WeChat's own paths, field names, error codes and signatures, keeps one state in its own PostgreSQL database
for all workers, and adds a few conveniences for demonstrations and tests (``docs/simulator.md``).

    app = simulator.build(SimulatorConfig(...))    # an ASGI application, to be mounted under /mock/wechat
    await app.aclose()                             # at shutdown: closes connections, stops sending

Beside it an SMS gateway (``build_sms``, under /mock/sms), as docs/messages-sms.md describes one, and a
mail server (``MailServer``) with pages to read what it took (``build_mail``, under /mock/mail), and a system of the
chain's own that takes webhooks (``build_mis``, under /mock/mis).
"""

from .app import Simulator, build
from .config import SimulatorConfig
from .mailbox import MailConfig, build_mail
from .mis import MisConfig, build_mis
from .sms import SmsConfig, build_sms
from .smtp import MailServer

__all__ = [
    "MailConfig",
    "MailServer",
    "MisConfig",
    "Simulator",
    "SimulatorConfig",
    "SmsConfig",
    "build",
    "build_mail",
    "build_mis",
    "build_sms",
]
