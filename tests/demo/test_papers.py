"""The demo's purchasing: a paper at each step, suppliers who are owed, and articles that have run low."""

from __future__ import annotations

from collections import Counter

from backend.demo import mall as demo_mall
from backend.demo import papers, places, stock
from backend.demo.load import STORES, _load_chain
from backend.kernel import clock, db, outbox
from backend.mall import queries as mall
from backend.stock import queries
from backend.stock.queries import DocumentFilter
from backend.stock.types import DocumentKind
from backend.worker import load
from tests.support.value import findings


async def test_there_is_a_paper_at_each_step_and_something_to_do(settings, database):
    load()
    await _load_chain()
    store_ids = [store.id for store in STORES]
    async with db.transaction() as tx:
        await demo_mall.load(tx, store_ids, clock.now())
        await places.load_pictures(tx, store_ids, clock.now())
    await stock.fill(store_ids, clock.now())

    await papers.load()
    await outbox.drain()

    found = await queries.list_documents(DocumentFilter(), before=None, limit=100)
    orders = Counter(one.state for one in found if one.kind is DocumentKind.PURCHASE_ORDER)
    assert orders == {"draft": 1, "submitted": 1, "approved": 2, "posted": 1, "closed": 1}
    assert {(one.kind, one.state) for one in found if one.kind is not DocumentKind.PURCHASE_ORDER} == {
        ("receipt", "posted"),
        ("purchase_return", "posted"),
        ("wholesale", "posted"),
        ("transfer", "shipped"),
        ("transfer", "posted"),
        ("stocktake", "draft"),
    }
    (waiting,) = [one for one in found if one.state == "submitted"]
    assert waiting.total_fen > settings.stock_approval_fen
    owed = await queries.list_payables()
    assert [one.supplier_id for one in owed if one.owed_fen > 0] == [papers.FOOD, papers.DAILY]
    assert sum(one.paid_fen for one in owed) == 10_000
    low = await queries.list_alerts(None, kind=None, only_open=True, before=None, limit=10)
    assert [one.place_id for one in low] == [papers.NEAR] * papers.LOW
    shown = await mall.places()
    assert [[picture.kind for picture in one.pictures] for one in shown] == [["picture", "plan"]] * 3
    assert await findings(settings) == []
