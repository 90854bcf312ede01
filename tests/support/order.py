"""In which order files are shared among processes."""

from __future__ import annotations

import pytest

# Seconds of processor time, roughly. What is not here takes few; a file that grows long is added.
LONG_S = {
    "tests/torture/test_run.py": 28,
    "tests/security/test_openapi.py": 28,
    "tests/flows/test_kill.py": 22,
    "tests/security/test_bad_input.py": 22,
    "tests/security/test_authorization.py": 18,
    "tests/browser/test_phone_orders.py": 16,
    "tests/browser/test_phone_coupons.py": 16,
    "tests/cli/test_demo.py": 16,
    "tests/cli/test_reload.py": 13,
    "tests/cli/test_migrate_killed.py": 12,
    "tests/bench/test_growth.py": 12,
    "tests/browser/test_phone_mall.py": 11,
    "tests/cli/test_drill.py": 11,
    "tests/pooler/test_journeys.py": 11,
    "tests/browser/test_spots.py": 10,
    "tests/cli/test_migrations.py": 9,
    "tests/messages/test_killed.py": 8,
    "tests/browser/test_phone_page.py": 8,
    "tests/browser/test_phone_cards.py": 8,
    "tests/bench/test_overview.py": 8,
    "tests/cli/test_operating.py": 7,
    "tests/bench/test_settle.py": 6,
    "tests/bench/test_order.py": 6,
    "tests/mutants/test_mutants.py": 5,
    "tests/ledger/test_wallet_machine.py": 5,
    "tests/coupons/rules/test_combine.py": 5,
    "tests/cli/test_serve.py": 5,
    "tests/cli/test_doctor.py": 5,
    "tests/browser/test_pos_cards.py": 5,
    "tests/browser/test_phone_delivery.py": 5,
}
OTHER_S = 2


def longest_first(item: pytest.Item) -> tuple[int, str]:
    """A key to sort tests by, which keeps those of a file together and in their order."""
    file = item.nodeid.partition("::")[0]
    return -LONG_S.get(file, OTHER_S), file
