"""How each kind of card is shown: pure."""

from __future__ import annotations

from datetime import date, timedelta

from backend.giftcards.types import CardState as GiftState
from backend.giftcards.types import GiftCard
from backend.kernel.money import yuan
from backend.passes.types import Held, PassKind
from backend.stamps.types import CampaignCard
from backend.wallet.types import Wallet

from .types import Balance, Card, CardKind, CardState, Progress

EXPIRING_DAYS = 7


def state_on(on: date, expires_on: date | None) -> CardState:
    """How a card with that last day stands on a day, as far as its time goes."""
    if expires_on is None or expires_on > on + timedelta(days=EXPIRING_DAYS):
        return CardState.ACTIVE
    return CardState.EXPIRING if expires_on >= on else CardState.EXPIRED


def stored_card(wallet: Wallet) -> Card:
    """Stored value."""
    stored = wallet.stored
    return Card(
        kind=CardKind.STORED,
        id=None,
        title="储值卡",
        subtitle=f"本金 ¥{yuan(stored.principal_fen)}，赠送 ¥{yuan(stored.bonus_fen)}",
        state=CardState.ACTIVE,
        balance=Balance("fen", stored.total_fen),
        progress=None,
        expires_on=None,
        detail_path="/v1/member/wallet/entries?account=stored",
    )


def points_card(wallet: Wallet, on: date) -> Card:
    """Points; its last day is that of the points that expire first."""
    points = wallet.points
    first = points.expiring[0] if points.expiring else None
    waiting = f"{points.pending} 积分待到账" if points.pending else ""
    return Card(
        kind=CardKind.POINTS,
        id=None,
        title="积分",
        subtitle=f"{first.points} 积分 {first.on} 到期" if first else waiting,
        state=state_on(on, first.on if first else None),
        balance=Balance("points", points.available),
        progress=None,
        expires_on=first.on if first else None,
        detail_path="/v1/member/wallet/entries?account=points",
    )


def gift_card(card: GiftCard, on: date) -> Card:
    """A gift card that the member bound."""
    state = state_on(on, card.valid_until)
    if card.state is GiftState.FROZEN:
        state = CardState.FROZEN
    elif card.balance_fen == 0:
        state = CardState.USED_UP
    return Card(
        kind=CardKind.GIFT,
        id=str(card.id),
        title=card.title,
        subtitle=card.number_masked,
        state=state,
        balance=Balance("fen", card.balance_fen),
        progress=None,
        expires_on=card.valid_until,
        detail_path=f"/v1/member/gift-cards/{card.id}",
    )


def campaign_card(card: CampaignCard, on: date) -> Card:
    """A campaign card with stamps."""
    left = card.goal - card.have
    return Card(
        kind=CardKind.CAMPAIGN,
        id=card.id,
        title=card.title,
        subtitle="已集满，奖励待发放" if card.full else f"再集 {left} 个得奖励",
        state=CardState.WAITING if card.full else state_on(on, card.ends_on),
        balance=Balance("stamps", card.have),
        progress=Progress(card.have, card.goal),
        expires_on=card.ends_on,
        detail_path=f"/v1/member/campaign-cards/{card.id}",
    )


def pass_card(held: Held, on: date) -> Card:
    """A service card, or a discount card."""
    terms, counted = held.terms, held.terms.kind is PassKind.COUNTED
    if terms.kind is PassKind.DISCOUNT:
        subtitle = benefit_text(terms.discount_bp, terms.points_multiplier_bp)
    else:
        subtitle = f"剩 {held.uses_left} 次" if counted else f"每天 {terms.per_day} 次"
    return Card(
        kind=CardKind.DISCOUNT if terms.kind is PassKind.DISCOUNT else CardKind.SERVICE,
        id=held.id,
        title=held.title,
        subtitle=subtitle,
        state=state_on(on, held.expires_on),
        balance=Balance("uses", held.uses_left) if counted else None,
        progress=None,
        expires_on=held.expires_on,
        detail_path=f"/v1/member/passes/{held.id}",
    )


def benefit_text(discount_bp: int, multiplier_bp: int) -> str:
    """What a discount card gives, as it is said in shops: 500 off is 9.5折."""
    said = []
    if discount_bp:
        tenths = f"{(10_000 - discount_bp) / 1000:.3f}".rstrip("0").rstrip(".")
        said.append(f"{tenths}折")
    if multiplier_bp > 10_000:
        times = f"{multiplier_bp / 10_000:.2f}".rstrip("0").rstrip(".")
        said.append(f"{times} 倍积分")
    return "，".join(said)


def coupon_card(usable: int, first_expires_on: date | None, on: date) -> Card:
    """All coupons as one entry; its last day is that of the coupon that expires first."""
    return Card(
        kind=CardKind.COUPON,
        id=None,
        title="优惠券",
        subtitle=f"{usable} 张可用" if usable else "暂无可用券",
        state=state_on(on, first_expires_on),
        balance=Balance("pieces", usable),
        progress=None,
        expires_on=first_expires_on,
        detail_path="/v1/member/coupons",
    )


def manager_card() -> Card:
    """The card of a member who is staff and may authorise at the till."""
    return Card(
        kind=CardKind.MANAGER,
        id=None,
        title="经理授权卡",
        subtitle="门店授权人员",
        state=CardState.ACTIVE,
        balance=None,
        progress=None,
        expires_on=None,
        detail_path=None,
    )
