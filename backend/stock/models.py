"""Tables of stock that the ORM can say; levels, movements and reservations stand in the migration."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model


class Warehouse(Model):
    """A place that is no store; kept for good."""

    id = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=40)
    # The store whose staff keep it; null: head office does.
    store_id = fields.CharField(max_length=32, null=True)
    active = fields.BooleanField(default=True)
    created_at: datetime = fields.DatetimeField()

    class Meta:
        table = "stock_warehouse"
