"""Sales: quote, complete or let wait, cancel, expire."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from backend.auth import queries as auth
from backend.auth.errors import CodeUsed
from backend.auth.types import Store, TerminalCaller
from backend.coupons import service as coupons
from backend.coupons.errors import CouponRefused
from backend.giftcards import service as giftcards
from backend.kernel import clock, db, ids, live
from backend.kernel.config import settings
from backend.kernel.errors import NotFound, ValidationFailed, invalid
from backend.kernel.http import Answer, Idempotency
from backend.ledger import queries as ledger_queries
from backend.ledger import service as ledger
from backend.ledger.errors import Claimed, GuardRefused, InsufficientBalance, Stale
from backend.ledger.plans import CodeUse, DocumentUpdate, NewDocument, Plan
from backend.ledger.types import Document, Posted
from backend.members import queries as members
from backend.members.types import Cardholder
from backend.passes import plans as pass_plans
from backend.passes import service as passes
from backend.passes.errors import PassVoid
from backend.points import plans as points
from backend.sales import plans as sale_plans
from backend.sales.errors import TendersMismatch
from backend.sales.rules import gift_cards
from backend.sales.rules.pricing import check_sufficient
from backend.sales.rules.settling import Priced, lot_dates
from backend.sales.types import SaleBody, TenderType
from backend.wallet import queries as wallet
from backend.wallet.types import Expiry, PointsSource

from .. import plans, views
from ..errors import SaleAlreadyCompleted, SaleNotWaiting
from ..plans import TWO_STORES
from ..schemas import QuoteIn, SaleIn, SaleOut
from ..types import SaleStatus
from . import authorising, pricing
from .authorising import Authority
from .identify import Customer, by_code, by_scan_token
from .replay import Again, first_answer, terminal_scope

MAX_TIMES_PLANNED = 3


async def complete_sale(body: SaleIn, terminal: TerminalCaller, idem: Idempotency) -> Answer[SaleOut]:
    """Settle a sale, or let it wait for the phone; once per key."""

    async def again(member_id: int, posted: Posted) -> Answer[SaleOut]:
        return Answer(await _first_answer_of(member_id, posted), replayed=True)

    try:
        return await first_answer(
            idem, terminal_scope(terminal.terminal_id), lambda: _complete(body, terminal, idem, again), again
        )
    except CouponRefused as refusal:
        await coupons.note_refused(
            refusal, store_id=terminal.store_id, terminal_id=terminal.terminal_id, cashier=body.cashier
        )
        raise


async def _complete(
    body: SaleIn, terminal: TerminalCaller, idem: Idempotency, again: Again[Answer[SaleOut]]
) -> Answer[SaleOut]:
    now = clock.now()
    store = await auth.get_store(terminal.store_id)
    on = clock.local_date(now, store.timezone)
    customer = await identify(body, terminal, now, on)
    holder = customer.holder or await members.get_cardholder(customer.member_id, on)
    must_wait = body.code_entry == "typed" or customer.suspect
    card_over, gone, capped = False, None, False
    sale_id = ids.new_document_id("S", customer.member_id)
    authority = await authorising.of_sale(
        body, terminal, idem, sale_id=sale_id, member_id=customer.member_id, now=now, on=on
    )
    for attempt in range(MAX_TIMES_PLANNED):
        if attempt:
            holder = await _read_again(customer.member_id, on, without_card=card_over)
        try:
            priced = await pricing.price(
                holder, body.lines, body.tenders, on, store=store, terminal=terminal, now=now, capped=capped
            )
        except TendersMismatch as refused:
            # They added up before another sale took of the coupon.
            raise gone or refused from refused
        check_sufficient(priced.tenders, priced.available)
        waits = must_wait or priced.value_fen > settings().password_free_sale_fen
        waits = waits or (customer.earn_only and spends(priced))
        expiry = await wallet.points_expiry(PointsSource.SALE)
        plan, sale = sale_plan(
            body,
            terminal,
            idem,
            store,
            customer,
            priced,
            expiry,
            sale_id=sale_id,
            waits=waits,
            now=now,
            authority=authority,
        )
        try:
            posted = await _post(plan, sale_id, sale, store.id, authority, waits=waits)
        except GuardRefused as refused:
            capped = capped or refused.refusal == points.CAP
            card_over = card_over or _is_card_over(refused)
            must_wait = must_wait or refused.refusal in (sale_plans.PASSWORD_FREE, TWO_STORES)
        except (Stale, InsufficientBalance) as refused:
            gone = sale_plans.coupon_gone(refused) or gone
            if attempt == MAX_TIMES_PLANNED - 1:
                raise gone or refused from refused
        except Claimed as claimed:
            # A sale that waited too long holds its order number until somebody looks; this is the look.
            if not await _freed(claimed.document_id):
                raise
        else:
            if posted.replayed:
                return await again(customer.member_id, posted)
            answer = views.sale_out(sale_id, sale, status=posted.state or "", balances=posted.balances, at=now)
            announce(customer.member_id, store, answer)
            authorising.tell(authority)
            return Answer(answer)
    raise Stale


def spends(priced: Priced) -> bool:
    """Whether anything of the member's own pays, a coupon included."""
    return priced.value_fen > 0 or bool(priced.coupons)


async def _post(
    plan: Plan, sale_id: str, sale: SaleBody, store_id: str, authority: Authority | None, *, waits: bool
) -> Posted:
    if authority is not None:
        return await authorising.post_sale(plan, sale, sale_id, authority, waits=waits)
    return await (ledger.post(plan) if waits else post_paid(plan, sale_id, sale, store_id))


async def post_paid(plan: Plan, sale_id: str, sale: SaleBody, store_id: str) -> Posted:
    """Post a paid sale: as one plan, or where gift cards pay together with theirs, in one transaction."""
    payments = gift_cards.payments(sale)
    if not payments:
        return await ledger.post(plan)
    async with giftcards.in_turn(payment.card_id for payment in payments), db.transaction() as tx:
        return await giftcards.pay(tx, plan, payments, sale_id=sale_id, store_id=store_id)


def _is_card_over(refused: GuardRefused) -> bool:
    """Whether the sale met a discount card that was given back a moment ago; other guards it may meet did not.

    Raises ``CodeUsed`` for anything else.
    """
    if refused.refusal not in (PassVoid.code, sale_plans.PASSWORD_FREE, TWO_STORES, points.CAP):
        raise CodeUsed from refused
    return refused.refusal == PassVoid.code


async def _read_again(member_id: int, on: date, *, without_card: bool) -> Cardholder:
    holder = await members.get_cardholder(member_id, on)
    if not without_card:
        return holder
    return msgspec.structs.replace(holder, card=msgspec.structs.replace(holder.card, discount_card=None))


def sale_plan(
    body: SaleIn,
    terminal: TerminalCaller,
    idem: Idempotency,
    store: Store,
    customer: Customer,
    priced: Priced,
    expiry: Expiry,
    *,
    sale_id: str,
    waits: bool,
    now: datetime,
    authority: Authority | None = None,
) -> tuple[Plan, SaleBody]:
    """The whole sale as one plan: a waiting one spends the code and moves nothing."""
    rules = settings()
    due_at = now + timedelta(seconds=rules.confirmation_ttl_s) if waits else None
    sale = SaleBody(
        order_no=body.order_no,
        terminal_id=terminal.terminal_id,
        lines=priced.price.lines,
        tenders=priced.tenders,
        total_fen=priced.price.total_fen,
        discount_fen=priced.price.discount_fen,
        payable_fen=priced.price.payable_fen,
        points_earned=priced.earned,
        multiplier_bp=priced.benefit.points_multiplier_bp,
        paid=priced.paid,
        waits_until=due_at.isoformat() if due_at else None,
        occurred_at=body.occurred_at.isoformat() if body.occurred_at else None,
        coupons=priced.coupons,
        passes=priced.passes,
        card_id=priced.benefit.card_id,
        earned_by=priced.earning.kept,
        override_id=authority.grant_id if authority else None,
    )
    expires_on, matures_on = lot_dates(priced.on, rules, expiry)
    guards = customer.guards
    if sale.card_id:
        # A sale that waits uses the card when it is approved: it may as well be cancelled.
        guards = (*guards, pass_plans.count_use(sale.card_id, 0 if waits else 1))
    if not waits and priced.value_fen:
        cap = rules.password_free_day_fen
        guards = (*guards, sale_plans.day_guard(priced.on, priced.value_fen, now, cap_fen=cap))
    if not waits:
        guards = (*guards, *points.count_caps(priced.earning, now))
    plan = Plan(
        member_id=customer.member_id,
        kind=plans.SALE,
        at=now,
        on=priced.on,
        scope=terminal_scope(terminal.terminal_id),
        key=idem.key,
        hash=idem.request_hash.hex(),
        active=True,
        use=CodeUse(store.id) if waits else CodeUse(store.id, rules.two_store_window_s, TWO_STORES),
        guards=guards,
        claim=plans.order_claim(store.id, body.order_no),
        document=NewDocument(
            sale_id,
            plans.SALE,
            SaleStatus.AWAITING if waits else SaleStatus.COMPLETED,
            sale_plans.encode_body(sale),
            store_id=store.id,
            memo={"cashier": body.cashier} if body.cashier else None,
            due_at=due_at,
        ),
    )
    if waits:
        return plan, sale
    legs = sale_plans.payment_legs(
        sale,
        store.id,
        bonus_fen=priced.bonus_fen,
        debt=priced.debt,
        expires_on=expires_on,
        matures_on=matures_on,
        earned=priced.earned,
    )
    legs += pass_plans.sale_legs(sale.passes, store.id, passes.today(now))
    facts = sale_plans.completed_events(customer.member_id, sale_id, store.id, sale, now)
    return msgspec.structs.replace(plan, legs=legs, saw=sale_plans.saw_debt(priced.debt), events=facts), sale


async def identify(body: SaleIn | QuoteIn, terminal: TerminalCaller, now: datetime, on: date) -> Customer:
    """Who buys: by code or by scan token, exactly one of them."""
    pricing.read_tenders(body.tenders)  # a type that there is not is said before anybody is looked for
    if (body.code is None) == (body.scan_token is None):
        raise invalid("/code", "give either code or scan_token")
    if body.code is not None:
        return await by_code(body.code, terminal_id=terminal.terminal_id, now=now, on=on)
    return by_scan_token(body.scan_token or "", terminal_id=terminal.terminal_id, store_id=terminal.store_id, now=now)


async def cancel_sale(sale_id: str, terminal: TerminalCaller, idem: Idempotency) -> Answer[SaleOut]:
    """Cancel a sale that waits; once per key."""

    async def again(member_id: int, posted: Posted) -> Answer[SaleOut]:
        return Answer(await _first_answer_of(member_id, posted), replayed=True)

    scope = terminal_scope(terminal.terminal_id)

    async def work() -> Answer[SaleOut]:
        for _ in range(MAX_TIMES_PLANNED):
            document = await get_store_sale(sale_id, terminal.store_id)
            if document.state == SaleStatus.CANCELLED and not await ledger_queries.find_known(scope, idem.key):
                return Answer(views.document_out(document, await ledger_queries.get_balances(document.member_id)))
            if document.state != SaleStatus.AWAITING:
                raise _not_waiting(document)
            plan = close_plan(document, SaleStatus.CANCELLED, clock.now(), on_zone=await _zone(terminal.store_id))
            plan = plans.keyed(plan, idem, scope)
            try:
                posted = await ledger.post(plan)
            except Stale:
                continue
            if posted.replayed:
                return await again(document.member_id, posted)
            live.push(document.member_id, "sale_cancelled", {"sale_id": sale_id})
            body = sale_plans.sale_body(document)
            status = posted.state or SaleStatus.CANCELLED
            return Answer(views.sale_out(sale_id, body, status=status, balances=posted.balances, at=document.at))
        raise Stale

    return await first_answer(idem, scope, work, again)


def close_plan(document: Document, status: SaleStatus, now: datetime, *, on_zone: str) -> Plan:
    """End a waiting sale without moving anything; its order number becomes free again."""
    order = plans.order_claim(document.store_id or "", document.body["order_no"])
    return Plan(
        member_id=document.member_id,
        kind="sale_closed",
        at=now,
        on=clock.local_date(now, on_zone),
        scope="sale-close",
        key=f"{document.id}:{document.version}:{status}",
        hash=plans.job_hash(document.id, document.version, status),
        update=DocumentUpdate(document.id, document.version, state=status, release=order),
    )


async def expire_sale(document: Document) -> bool:
    """End a waiting sale whose time is over; False where somebody else decided it first."""
    try:
        plan = close_plan(document, SaleStatus.EXPIRED, clock.now(), on_zone=await _zone(document.store_id or ""))
        await ledger.post(plan)
    except Stale:
        return False
    live.push(document.member_id, "sale_expired", {"sale_id": document.id})
    return True


async def _freed(sale_id: str | None) -> bool:
    """Expire the waiting sale that holds an order number, where its time is over; whether the number is free now."""
    member_id = ids.member_of(sale_id or "", "S")
    document = await ledger_queries.find_document(member_id, sale_id or "") if member_id else None
    if document is None or document.state != SaleStatus.AWAITING:
        return False
    return (await fresh(document)).state == SaleStatus.EXPIRED


async def get_store_sale(sale_id: str, store_id: str) -> Document:
    """A sale of that store as it stands; one whose waiting time is over is expired first."""
    member_id = ids.member_of(sale_id, "S")
    document = await ledger_queries.find_document(member_id, sale_id) if member_id else None
    if document is None or document.kind != plans.SALE or document.store_id != store_id:
        raise NotFound("there is no such sale in this store")
    return await fresh(document)


async def fresh(document: Document) -> Document:
    """The document, expired first where its waiting time is over."""
    if document.state == SaleStatus.AWAITING and document.due_at is not None and document.due_at <= clock.now():
        await expire_sale(document)
        return await ledger_queries.find_document(document.member_id, document.id) or document
    return document


async def find_by_order(order_no: str, store_id: str) -> Document:
    """The sale that holds this order number in the store."""
    claim = plans.order_claim(store_id, order_no)
    home = await ledger_queries.find_home(claim.scope, claim.key)
    if home is None or home[1] is None:
        raise NotFound("there is no sale with this order number")
    return await get_store_sale(home[1], store_id)


async def show(document: Document) -> SaleOut:
    """A sale as it stands, with the member's balances of now."""
    return views.document_out(document, await ledger_queries.get_balances(document.member_id))


def announce(member_id: int, store: Store, sale: SaleOut) -> None:
    """Tell the phone, if it listens; never in the way of the sale."""
    shop = {"id": store.id, "name": store.name}
    if sale.status == SaleStatus.AWAITING:
        coupon_fen = sum(tender.amount_fen for tender in sale.tenders if tender.type == TenderType.COUPON)
        data = {"id": sale.id, "sale_id": sale.id, "payable_fen": sale.payable_fen, "store": shop}
        data["coupon_fen"] = coupon_fen
        live.push(member_id, "confirmation_requested", data | {"expires_at": msgspec.to_builtins(sale.expires_at)})
    else:
        built = msgspec.to_builtins(sale)
        live.push(member_id, "sale_completed", {"sale": built, "store": shop, "balances": built["balances"]})


async def _first_answer_of(member_id: int, posted: Posted) -> SaleOut:
    document = await ledger_queries.find_document(member_id, posted.document_id or "")
    if document is None or document.kind != plans.SALE:
        raise ValidationFailed("this key was used for another kind of request")
    body = sale_plans.sale_body(document)
    return views.sale_out(document.id, body, status=posted.state or "", balances=posted.balances, at=document.at)


def _not_waiting(document: Document) -> Exception:
    if document.state in (SaleStatus.COMPLETED, SaleStatus.PARTLY_REFUNDED, SaleStatus.REFUNDED):
        return SaleAlreadyCompleted(extra={"id": document.id})
    return SaleNotWaiting(f"the sale is {document.state}", extra={"status": document.state})


async def _zone(store_id: str) -> str:
    return (await auth.get_store(store_id)).timezone
