"""The simulator's memory: one PostgreSQL database of its own, so that every worker tells the same story."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import msgspec

Connection: TypeAlias = Any
"""A pooled asyncpg connection with an open transaction."""

_LOCK = 7_081_960_123  # any constant: two workers that start together must not create the same table twice

_SCHEMA = """
CREATE TABLE IF NOT EXISTS access_token (
    token text PRIMARY KEY, kind text NOT NULL, at timestamptz NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS one_time_code (
    code text PRIMARY KEY, kind text NOT NULL, subject text NOT NULL,
    expires_at timestamptz NOT NULL, used boolean NOT NULL);
CREATE TABLE IF NOT EXISTS sent_message (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    openid text NOT NULL, kind text NOT NULL, body jsonb NOT NULL, at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS sent_message_openid ON sent_message (openid, seq);
CREATE TABLE IF NOT EXISTS customer_message (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    openid text NOT NULL, who text NOT NULL, body jsonb NOT NULL, at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS customer_message_openid ON customer_message (openid, seq);
CREATE TABLE IF NOT EXISTS customer_window (
    openid text PRIMARY KEY, room integer NOT NULL CHECK (room >= 0), until timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS send_refusal (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    openid text NOT NULL, errcode integer NOT NULL, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS subscription (
    openid text NOT NULL, template_id text NOT NULL, room integer NOT NULL CHECK (room >= 0),
    PRIMARY KEY (openid, template_id));
CREATE TABLE IF NOT EXISTS media (
    media_id text PRIMARY KEY, kind text NOT NULL, body bytea NOT NULL, expires_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS pay_order (
    out_trade_no text PRIMARY KEY, terms jsonb NOT NULL, prepay_id text NOT NULL UNIQUE, state text NOT NULL,
    total bigint NOT NULL CHECK (total > 0), created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
    transaction_id text UNIQUE, success_at timestamptz);
CREATE TABLE IF NOT EXISTS refund (
    out_refund_no text PRIMARY KEY, refund_id text NOT NULL UNIQUE, out_trade_no text NOT NULL REFERENCES pay_order,
    terms jsonb NOT NULL, amount bigint NOT NULL CHECK (amount > 0), created_at timestamptz NOT NULL,
    success_at timestamptz NOT NULL, done_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS refund_order ON refund (out_trade_no);
CREATE TABLE IF NOT EXISTS shipping (
    out_trade_no text PRIMARY KEY REFERENCES pay_order, uploaded_at timestamptz NOT NULL, logistics_type int NOT NULL,
    delivery_mode int NOT NULL, finished boolean NOT NULL, finish_count int NOT NULL, parcels jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS receipt (
    out_trade_no text PRIMARY KEY REFERENCES shipping, method int NOT NULL, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS notification (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL, kind text NOT NULL, event_type text NOT NULL, out_trade_no text NOT NULL,
    url text NOT NULL, body text NOT NULL,
    state text NOT NULL, due_at timestamptz NOT NULL, lease_until timestamptz, after_seq bigint,
    attempts integer NOT NULL DEFAULT 0, last_status integer, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX IF NOT EXISTS notification_due ON notification (due_at) WHERE state IN ('pending', 'held');
CREATE INDEX IF NOT EXISTS notification_order ON notification (out_trade_no);
CREATE TABLE IF NOT EXISTS bill_tampering (one boolean PRIMARY KEY DEFAULT true CHECK (one), body jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS faults (one boolean PRIMARY KEY DEFAULT true CHECK (one), body jsonb NOT NULL);
DELETE FROM notification WHERE at < clock_timestamp() - interval '7 days';
DELETE FROM sent_message WHERE at < clock_timestamp() - interval '7 days';
DELETE FROM customer_message WHERE at < clock_timestamp() - interval '30 days';
"""


async def _read_json(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


class Store:
    """The database, opened at the first use: a mounted application is told nothing of start-up."""

    def __init__(self, url: str, schema: str = _SCHEMA) -> None:
        self._url = url
        self._schema = schema
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def pool(self) -> asyncpg.Pool:
        """The open pool; the first call connects and creates the tables."""
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await self._open()
        return self._pool

    async def _open(self) -> asyncpg.Pool:
        pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=6,
            command_timeout=15,
            init=_read_json,
            server_settings={"application_name": "wechat-simulator"},
        )
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK}); SET LOCAL client_min_messages = warning")
            await connection.execute(self._schema)
        return pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction on a connection of the pool."""
        pool = await self.pool()
        async with pool.acquire() as connection, connection.transaction():
            yield connection

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a statement of its own."""
        return list(await (await self.pool()).fetch(sql, *args))

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row of a statement of its own, or None."""
        return await (await self.pool()).fetchrow(sql, *args)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
