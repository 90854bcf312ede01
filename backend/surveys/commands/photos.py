"""Photos of anonymous answers, kept under nobody's name; of others they are the member's uploads."""

from __future__ import annotations

import secrets

from backend.kernel import clock, db, drawing, limits
from backend.kernel.errors import NotFound
from backend.kernel.pictures import KIND
from backend.kernel.signed_pictures import Image, SignedPictures

from .. import service
from ..errors import SurveyClosed
from .answering import get_own

A_DAY, DAY_S = 40, 86_400

PHOTOS = SignedPictures("/v1/survey-photos", "survey photo address")


async def add(member_id: int, survey_id: str, data: bytes) -> str:
    """Keep a photo for an anonymous answer, drawn anew; its id, which nobody guesses. Whose it is is not written down.

    ``NotFound`` for a survey that is not this member's or not anonymous, ``SurveyClosed``, ``ValidationFailed``
    for what is no picture, ``RateLimited`` for more than 40 in 24 hours.
    """
    survey, participation = await get_own(member_id, survey_id)
    if not survey.terms.anonymous:
        raise NotFound("there is no such survey")
    if participation.done or not survey.takes_answers(clock.now()):
        raise SurveyClosed
    await limits.hit(f"survey photo:{member_id}", A_DAY, DAY_S)
    picture = await drawing.draw(data)
    photo_id = secrets.token_hex(32)
    async with db.transaction() as tx:
        await db.raw(tx).execute(
            'INSERT INTO survey_photo (id, survey_id, "on", kind, large, small) VALUES ($1, $2, $3, $4, $5, $6)',
            photo_id,
            survey_id,
            service.week_of(service.today(clock.now())),
            KIND,
            picture.large,
            picture.small,
        )
    return photo_id


async def find(photo_id: str, small: bool) -> Image | None:
    """A photo that an anonymous answer names; None for any other."""
    column = "small" if small else "large"
    row = await db.fetchrow(f"SELECT kind, {column} FROM survey_photo WHERE id = $1 AND used", photo_id)  # noqa: S608
    return (row[0], row[1]) if row else None
