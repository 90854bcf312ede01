"""Huiyuan (惠员): the member backend of a retail chain. Start at ``docs/architecture.md``."""

__version__ = "0.1.0"
