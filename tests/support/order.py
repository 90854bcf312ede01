"""In which order files are shared among processes."""

from __future__ import annotations

import pytest

# Seconds on two cores, roughly. What is not here takes few; a file that grows long is added.
LONG_S = {
    "tests/torture/test_run.py": 45,
    "tests/flows/test_kill.py": 27,
    "tests/browser/test_phone_coupons.py": 27,
    "tests/messages/test_killed.py": 20,
    "tests/cli/test_migrate_killed.py": 25,
    "tests/cli/test_reload.py": 25,
    "tests/cli/test_drill.py": 22,
    "tests/cli/test_demo.py": 20,
    "tests/browser/test_phone_mall.py": 20,
    "tests/cli/test_migrations.py": 16,
    "tests/bench/test_growth.py": 14,
    "tests/mutants/test_mutants.py": 14,
    "tests/bench/test_settle.py": 14,
    "tests/sales/test_gift_cards.py": 13,
    "tests/sales/test_refunds.py": 12,
    "tests/bench/test_with_coupons.py": 12,
    "tests/bench/test_overview.py": 12,
    "tests/browser/test_story.py": 10,
    "tests/bench/test_attack.py": 8,
    "tests/cli/test_serve.py": 8,
    "tests/sales/test_coupons.py": 8,
    "tests/browser/test_phone_cards.py": 8,
    "tests/security/test_bad_input.py": 7,
    "tests/browser/test_phone_page.py": 7,
    "tests/flows/test_disk_full.py": 7,
    "tests/kernel/test_worker.py": 7,
    "tests/cli/test_doctor.py": 7,
    "tests/browser/test_pos_coupons.py": 6,
    "tests/cli/test_operating.py": 6,
    "tests/coupons/rules/test_combine.py": 6,
    "tests/ledger/test_audit.py": 6,
    "tests/flows/test_redis_cluster.py": 6,
    "tests/security/test_openapi.py": 6,
    "tests/concurrency/test_one_coupon.py": 5,
    "tests/security/test_sql.py": 5,
    "tests/ledger/test_wallet_machine.py": 5,
    "tests/pooler/test_journeys.py": 5,
}
OTHER_S = 3


def longest_first(item: pytest.Item) -> tuple[int, str]:
    """A key to sort tests by, which keeps those of a file together and in their order."""
    file = item.nodeid.partition("::")[0]
    return -LONG_S.get(file, OTHER_S), file
