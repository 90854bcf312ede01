"""Defects of merges and of what a group's owner allots: value that loses its nature, or its way."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CARRYING = "backend/merging/rules/carrying.py"
MERGING = "backend/merging/commands/merging.py"
DOOR = "backend/ledger/sql/10_post.sql"
MEMBERS = "backend/ledger/sql/20_members.sql"
ALLOT_PLANS = "backend/groups/plans.py"
ALLOTTING = "backend/groups/commands/allotting.py"
TAKING_BACK = "backend/groups/commands/taking_back.py"
MERGES = "tests/merging/test_merging.py::"
ORDERS = "tests/orders/test_merged.py::"
NUMBERS = "tests/merging/test_numbers.py::"
LATE = "tests/merging/test_late.py::"
KEYS = "tests/merging/test_keys.py::"
GIFTS = "tests/merging/test_gifts.py::"
AT_TILL = "tests/membercards/test_at_till.py::"
ALLOTMENTS = "tests/groups/test_allotments.py::"

HELD = "backend/members/service/standing.py"
STAMPS = "backend/stamps/merging.py"
PASSES = "backend/passes/merging.py"

MUTANTS = (
    Mutant(
        "noted-under-the-old-number",
        "A purchase that is noted beside a merge is counted for who is nobody any more.",
        HELD,
        "FROM member WHERE id = $1) FOR UPDATE",
        "FROM member WHERE id = $1)",
        (LATE + "test_a_purchase_that_was_being_noted_at_that_moment_is_the_targets",),
    ),
    Mutant(
        "cards-wait-for-ever",
        "A card that was filled beside a merge waits for a reward under the old number for ever.",
        STAMPS,
        "    await db.raw(tx).execute(_WAITS_NOT, carrying.source_id)\n",
        "",
        (LATE + "test_a_stamp_that_was_being_given_at_that_moment_is_the_targets",),
    ),
    Mutant(
        "used-passes-are-whole-again",
        "A pass that was used begins anew when its member is merged.",
        PASSES,
        "        if begins > left:\n",
        "        if begins < left:\n",
        (LATE + "test_what_is_left_of_a_coupon_and_a_pass_that_were_used_goes_on",),
    ),
    Mutant(
        "merged-lots-never-expire",
        "What would have ended in May never ends once two numbers are one.",
        CARRYING,
        "        expires_on=lot.expires_on,\n",
        "        expires_on=None,\n",
        (MERGES + "test_value_goes_over_lot_by_lot_with_source_and_last_day",),
    ),
    Mutant(
        "late-refunds-stay-on-old-books",
        "The refund of an old sale lies where nobody can spend it, until the hourly sweep.",
        DOOR,
        "    IF v_merged AND v_count > 0 AND p->>'kind' <> 'merged' THEN\n",
        "    IF false AND v_count > 0 AND p->>'kind' <> 'merged' THEN\n",
        (LATE + "test_a_refund_of_an_old_sale_goes_to_the_target",),
    ),
    Mutant(
        "a-merge-forgets-what-was-had-once",
        "Who had as many coupons as one may have gets them again.",
        MEMBERS,
        "FROM ledger_guard WHERE member_id = p_from\n",
        "FROM ledger_guard WHERE false\n",
        (LATE + "test_coupons_go_on_and_one_that_comes_back_follows",),
    ),
    Mutant(
        "approved-while-a-sale-waits",
        "A sale that waits for the phone can be confirmed by nobody any more.",
        MERGING,
        "    refuse_under_way(await obstacles(tx, asked.source_id))\n",
        "",
        (LATE + "test_a_sale_that_waits_for_the_phone_must_end_first",),
    ),
    Mutant(
        "allotted-bonus-never-expires",
        "An owner turns bonus that ends in May into bonus that never ends.",
        ALLOT_PLANS,
        "one.amount, expires_on=one.lot.expires_on, source=made.id",
        "one.amount, expires_on=None, source=made.id",
        (ALLOTMENTS + "test_lots_keep_part_and_last_day_and_go_back_to_where_they_came_from",),
    ),
    Mutant(
        "takes-back-less-than-was-asked",
        "Who wants 401 back is told that it was done, and has 400.",
        TAKING_BACK,
        "        if back == 0 or (amount is not None and back < amount):\n",
        "        if back == 0:\n",
        (ALLOTMENTS + "test_what_was_spent_cannot_be_taken_back",),
    ),
    Mutant(
        "a-new-owner-pays-for-an-old-table",
        "Who takes over a group loses points by a table that was asked for before them.",
        "backend/groups/commands/batches.py",
        "owner.id != batch.owner_id or person is None",
        "person is None",
        ("tests/groups/test_batches.py::test_a_job_that_dies_goes_on_where_it_was_and_a_new_owner_is_not_bound",),
    ),
    Mutant(
        "everybodys-orders-are-mine",
        "Whoever knows an order's id reads it, and asks for its money.",
        "backend/members/queries/merged.py",
        "    if owner_id is None or owner_id == member_id or await current_id(owner_id) == member_id:\n",
        "    if owner_id is None or await current_id(owner_id):\n",
        (ORDERS + "test_the_target_has_the_sources_orders_and_sends_them_back",),
    ),
    Mutant(
        "a-merged-number-is-followed",
        "Who asks to merge an old number merges somebody else than they named, for good.",
        MERGING,
        "        if member.member_no != number:\n",
        "        if False:\n",
        (NUMBERS + "test_a_number_that_was_merged_is_not_followed_into_another_merge",),
    ),
    Mutant(
        "a-new-pin-allots-without-end",
        "Whoever had a PIN reset at a counter allots the whole wallet away within the hour.",
        ALLOTTING,
        "    await member_service.check_pin(member_id, pin, spends_fen=_worth_fen(body))\n",
        "    await member_service.check_pin(member_id, pin)\n",
        (ALLOTMENTS + "test_a_pin_that_was_reset_just_now_allots_no_more_than_it_may_spend",),
    ),
    Mutant(
        "an-acceptance-counts-twice-after-a-merge",
        "A phone that asks again is sent a message which WeChat was not asked to let through.",
        "backend/messages/holdings.py",
        '            MovingTable("message_subscription_answer", key=("key",)),\n',
        "",
        (KEYS + "test_what_was_said_of_letters_is_said_once",),
    ),
    Mutant(
        "a-level-outlasts-its-pass-by-a-merge",
        "Who was merged has the money of a pass back, and keeps the level that came with it.",
        PASSES,
        '        await lifecycle.keep_granted(tx, carrying.target_id, f"pass:{row[\'id\']}", f"pass:{new_id}")\n',
        "",
        ("tests/merging/test_histories.py::test_a_level_that_a_pass_gave_goes_with_it_whoever_has_it_now",),
    ),
    Mutant(
        "a-deposit-is-erased-untold",
        "Who leaves loses the deposit of a card, and nobody told them to bring it back first.",
        "backend/membercards/holdings.py",
        "        at_stake=_at_stake,\n",
        "",
        (AT_TILL + "test_the_deposit_of_a_card_that_was_lost_until_it_expired_goes_over_to_the_next",),
    ),
    Mutant(
        "a-level-rewarded-again-after-a-merge",
        "Who was given the coupon of a level or a birthday is given it once more by a merge.",
        "backend/coupons/commands/automatic.py",
        "            if not await _had(template_id, merged.get(member_id, ()), reason)\n",
        "",
        (GIFTS + "test_a_level_that_both_reach_is_rewarded_once",),
    ),
    Mutant(
        "a-list-forgets-who-was-merged",
        "Whoever was merged between being named and being given the coupon gets none.",
        "backend/coupons/commands/handouts.py",
        "now_of.get(member_id, member_id)",
        "member_id",
        (GIFTS + "test_a_list_that_names_both_gives_one_coupon_and_to_whom_they_are_now",),
    ),
    Mutant(
        "a-reward-slips-through-a-merge",
        "A coupon of a refunded sale that comes back just after a merge is kept.",
        "backend/coupons/commands/rewards.py",
        "            await merging.pass_on(tx, member_id)  # a coupon that came back a moment ago\n",
        "            pass\n",
        (GIFTS + "test_a_sales_reward_that_comes_back_after_the_merge_goes_with_the_sale",),
    ),
    Mutant(
        "an-answer-rewarded-under-both-numbers",
        "Who opened a survey under one number and answered it under the other is paid twice, or not at all.",
        "backend/surveys/holdings.py",
        "for sql in (_BEGUN, _MOVED):",
        "for sql in (_MOVED,):",
        (GIFTS + "test_an_answer_is_rewarded_once_though_the_other_had_begun_one",),
    ),
    Mutant(
        "an-earned-pass-is-tried-for-ever",
        "The job of a pass that was given before a merge fails again and again.",
        "backend/passes/commands/earning.py",
        "    except (PassProductConflict, MemberInactive, IdempotencyConflict) as refused:\n",
        "    except (PassProductConflict, MemberInactive) as refused:\n",
        (GIFTS + "test_what_a_recharge_earned_is_given_once_and_its_job_ends",),
    ),
    Mutant(
        "stamps-of-a-closed-card-stay",
        "Stamps of a campaign that ended beside a merge lie on a card for ever that nobody can use or close.",
        STAMPS,
        "closed_at = CASE WHEN s.closed_at IS NOT NULL THEN t.closed_at END\n",
        "closed_at = least(t.closed_at, s.closed_at)\n",
        (GIFTS + "test_stamps_of_a_campaign_whose_cards_are_being_closed_expire_with_the_target_s",),
    ),
    Mutant(
        "stamps-expire-once-for-a-member",
        "Stamps that a merge brings to a card that had ended never expire: the books say they did.",
        "backend/stamps/plans.py",
        'f"{campaign_id}:{now.isoformat()}"',
        "campaign_id",
        (GIFTS + "test_stamps_of_a_campaign_whose_cards_are_being_closed_expire_with_the_target_s",),
    ),
    Mutant(
        "a-level-given-again-after-a-merge",
        "Who was given a level for a full card has it once more, for longer, when that is told again after a merge.",
        "backend/lifecycle/service/granting.py",
        "    rows = await db.fetch_in(tx, _UNDER, member_id, key)\n",
        '    rows = await db.fetch_in(tx, f"{_UNDER} AND key = $2", member_id, key)\n',
        (GIFTS + "test_a_level_that_was_given_before_the_merge_is_not_given_again",),
    ),
)
