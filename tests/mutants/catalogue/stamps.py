"""Defects of campaign cards: what is stamped, what a refund takes back, and how a full card becomes its reward."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

GIVING = "backend/stamps/commands/giving.py"
RULES = "backend/stamps/rules.py"
SERVICE = "backend/stamps/service.py"
SALES = "tests/stamps/test_sales.py::"
ATTENDANCE = "tests/stamps/test_attendance.py::"
CAMPAIGNS = "tests/stamps/test_campaigns.py::"
RACES = "tests/concurrency/test_one_campaign_card.py::"
LIST = "tests/cards/test_list.py::"

MUTANTS = (
    Mutant(
        "stamps-of-a-reward-kept-after-a-refund",
        "Who buys ten, takes the free one and gives the ten back begins the next card with nothing owed.",
        RULES,
        "stamps.owed + amount - taken",
        "stamps.owed",
        ("tests/stamps/test_rules.py::test_given_is_held_and_taken_and_redeemed_and_nothing_is_free_twice",),
    ),
    Mutant(
        "free-cup-stamped",
        "The cup that a coupon paid begins the next card: every tenth reward is free.",
        RULES,
        "return max(0, min(paid, kept, line.qty - refunded_qty))",
        "return max(0, min(kept, line.qty - refunded_qty))",
        (f"{SALES}test_what_a_coupon_paid_is_not_stamped",),
    ),
    Mutant(
        "refund-of-money-keeps-every-stamp",
        "Giving all of the money back for a sale leaves its stamps.",
        RULES,
        "min(paid, kept, line.qty - refunded_qty)",
        "min(paid, line.qty - refunded_qty)",
        ("tests/stamps/test_rules.py::test_what_a_sale_deserves",),
    ),
    Mutant(
        "stamps-beyond-the-last-reward",
        "A member collects more rewards than one may have, or stamps for ever.",
        SERVICE,
        "amount = wanted if space is None else min(wanted, space)",
        "amount = wanted",
        (f"{SALES}test_no_member_has_more_rewards_than_one_may_have",),
    ),
    Mutant(
        "sale-looked-at-beside-its-refund",
        "Two workers at one sale: the stamp that the one gives is not seen by the one that takes it back.",
        GIVING,
        "            mine.pop((row[0], row[1]), None)\n",
        "            pass\n",
        (f"{SALES}test_a_refund_waits_for_whoever_looks_at_its_sale",),
    ),
    Mutant(
        "refund-heard-first-forgotten",
        "A sale and its refund that come in one go are stamped as if nothing had come back.",
        GIVING,
        "    progress = msgspec.convert(document.progress, SoldProgress)\n",
        "    progress = SoldProgress()\n",
        (f"{SALES}test_a_refund_that_is_heard_of_before_its_sale_counts",),
    ),
    Mutant(
        "card-redeemed-without-its-lock",
        "A full card that is redeemed at two places at once becomes two rewards, or an error.",
        "backend/stamps/locks.py",
        "WHERE member_id = $1 AND campaign_id = $2 FOR UPDATE",
        "WHERE member_id = $1 AND campaign_id = $2",
        (f"{RACES}test_a_card_is_redeemed_once_however_often_it_is_asked_for",),
    ),
    Mutant(
        "ended-campaign-stamped-by-memory",
        "A process that has not heard of the end opens cards that nothing will ever close.",
        GIVING,
        "return wish.stamps > 0 and campaign.state is CampaignState.ACTIVE",
        "return wish.stamps > 0",
        (f"{CAMPAIGNS}test_what_is_due_when_a_campaign_has_ended_opens_no_card",),
    ),
    Mutant(
        "missed-day-forgiven",
        "Seven days in a row are any seven days.",
        RULES,
        "last_on >= on - timedelta(days=1)",
        "last_on >= on - timedelta(days=100)",
        (f"{ATTENDANCE}test_a_missed_day_loses_what_was_to_be_in_a_row",),
    ),
    Mutant(
        "clerk-carries-a-manager-s-card",
        "A clerk's member card opens what managers authorise.",
        "backend/auth/queries/people.py",
        "member_id IS NOT NULL AND active AND role = ANY($1)",
        "member_id IS NOT NULL AND active AND ($1::text[] IS NOT NULL)",
        (f"{LIST}test_a_manager_s_card_follows_the_link_and_the_login",),
    ),
    Mutant(
        "frozen-gift-card-shown-to-the-till",
        "The till offers a card that staff have frozen, and the sale is refused at the end.",
        "backend/cards/queries.py",
        "        if card.state is GiftState.ACTIVE\n        and card.balance_fen > 0",
        "        if card.balance_fen > 0",
        (f"{LIST}test_what_cannot_be_used_is_listed_and_not_shown_to_the_till",),
    ),
)
