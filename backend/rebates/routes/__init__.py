"""Calls about rebates. The server asks second persons too, so the handlers are registered with the routes."""

from .. import handlers as handlers
