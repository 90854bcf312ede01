"""What a second person decides here, and who keeps what is agreed to in joining. Importing registers it."""

from __future__ import annotations

from backend.approvals import service as approvals
from backend.approvals.types import Kind
from backend.auth.types import Permission
from backend.members import service as members
from backend.members import telling

from . import queries, service
from .commands import erasures, handouts

members.keep_consents_by(service.record_joining)
telling.keeps(service.SHARING, queries.read_sharing)
approvals.declare(
    Kind(
        code=erasures.KIND,
        title="注销会员",
        permission=Permission.PRIVACY_ERASE,
        body=erasures.Wish,
        apply=erasures.apply,
    )
)
approvals.declare(
    Kind(
        code=handouts.KIND,
        title="当面交付个人数据",
        permission=Permission.PRIVACY_SERVE,
        body=handouts.AskedHandout,
        apply=handouts.apply,
        reject=handouts.refuse,
    )
)
