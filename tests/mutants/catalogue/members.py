"""Defects of registration, the payment PIN, standing and levels."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SERVICE = "backend/members/service"
COMMANDS = "backend/members/commands"
PIN = "tests/members/test_pin.py::"
CHANGES = "tests/members/test_changes.py::"
EDITING = "tests/members/test_editing.py::"

MUTANTS = (
    Mutant(
        "pin-tries-not-counted",
        "Whoever holds the phone tries all PINs and approves every sale.",
        f"{SERVICE}/pins.py",
        "THEN 1 ELSE failures + 1 END,",
        "THEN 1 ELSE failures END,",
        (f"{PIN}test_five_wrong_ones_lock_it_for_a_quarter_of_an_hour",),
    ),
    Mutant(
        "pin-not-asked-for",
        "A sale is approved without the PIN by leaving it out.",
        f"{SERVICE}/pins.py",
        "        if state is PinState.SET:\n            raise PinRequired\n",
        "",
        (f"{PIN}test_a_pin_once_set_is_asked_for",),
    ),
    Mutant(
        "any-phone-resets-the-pin",
        "A thief sets a new PIN with the phone code of another number.",
        f"{SERVICE}/pins.py",
        "if queries.phone_index(phone) != await queries.find_phone_index(member_id):",
        "if not phone:",
        (f"{PIN}test_the_own_phone_number_replaces_and_unlocks_it",),
    ),
    Mutant(
        "bound-member-taken-over",
        "Somebody who got an old phone number takes over its former owner's money.",
        f"{SERVICE}/joining.py",
        '    if await auth.is_bound(tx, known["id"]):\n        raise PhoneTaken\n',
        "",
        ("tests/members/test_registration.py::test_somebody_elses_phone_is_refused",),
    ),
    Mutant(
        "books-not-told-of-freezing",
        "A frozen member's code goes on paying at the till.",
        f"{SERVICE}/people.py",
        "    await ledger.set_member_status(tx, member_id, active=status is Status.ACTIVE)\n",
        "",
        ("tests/members/test_admin.py::test_freezing_shuts_out_at_once_and_unfreezing_lets_in",),
    ),
    Mutant(
        "sale-grows-twice",
        "An event that is told twice lifts a member to gold.",
        f"{SERVICE}/levels.py",
        "    if added:\n",
        "    if True:\n",
        ("tests/lifecycle/test_growth.py::test_a_sale_counts_once_however_often_it_is_told",),
    ),
    Mutant(
        "another-stores-member-read",
        "A store reads the members of another one by their number.",
        f"{COMMANDS}/standing.py",
        "if not caller.reaches(member.store_id):",
        "if False:",
        ("tests/members/test_admin.py::test_a_store_sees_its_own_members_only",),
    ),
    Mutant(
        "registered-in-two-halves",
        "A member who waits for approval buys at once.",
        f"{SERVICE}/people.py",
        "await ledger.open_member(tx, member_id, active=new.status is Status.ACTIVE)",
        "await ledger.open_member(tx, member_id, active=True)",
        ("tests/members/test_registration.py::test_with_approval_a_member_waits_and_may_only_look",),
    ),
    Mutant(
        "a-change-that-nobody-knows-of",
        "A birthday is changed and no history says by whom.",
        f"{SERVICE}/profile.py",
        "    await changed(tx, member_id, by=by, changes=changes, reason=reason)\n",
        "",
        (f"{CHANGES}test_what_a_member_changes_is_kept_with_who_and_from_what_to_what",),
    ),
    Mutant(
        "what-was-changed-lies-open",
        "Whoever copies the table reads names and phone numbers of before.",
        f"{SERVICE}/changes.py",
        "vault().seal(msgspec.json.encode(value), context=queries.CHANGE_CONTEXT)",
        "msgspec.json.encode(value).decode()",
        (f"{CHANGES}test_values_lie_sealed_in_the_database",),
    ),
    Mutant(
        "birthdays-as-often-as-one-likes",
        "A member has a birthday each month, with its benefits.",
        f"{SERVICE}/fields.py",
        "await queries.count_own_changes(member_id, field, tx) >= often",
        "False",
        (f"{EDITING}test_a_birthday_is_corrected_once_and_then_by_staff",),
    ),
    Mutant(
        "a-later-hand-overwrites-an-earlier",
        "Of two who edit the same member the slower one undoes the other's work.",
        f"{COMMANDS}/profile.py",
        '        if row["version"] != body.version:\n',
        "        if False:\n",
        (f"{EDITING}test_of_two_who_read_the_same_one_is_told_to_read_again",),
    ),
    Mutant(
        "a-number-is-taken-without-the-pin",
        "A stolen session gets a number of its own, then a PIN of its own, then the wallet.",
        f"{COMMANDS}/profile.py",
        "    await service.check_pin(member_id, body.pin)\n",
        "",
        (f"{EDITING}test_a_member_takes_the_number_that_wechat_vouches_for",),
    ),
    Mutant(
        "a-used-option-vanishes",
        "Members have a value that no definition knows any more.",
        "backend/members/rules/attributes.py",
        "            if option.code not in left and used:\n",
        "            if False:\n",
        ("tests/members/test_attribute_rules.py::test_a_used_definition_keeps_type_and_options",),
    ),
    Mutant(
        "everybody-sees-what-is-head-office-s",
        "A store reads what head office alone keeps of a member.",
        "backend/members/rules/attributes.py",
        "    return reach in attribute.seen_by and _holds(attribute.see_permission, reach, permissions)\n",
        "    return True\n",
        ("tests/members/test_attribute_rules.py::test_who_sees_and_edits_goes_by_reach_and_permission",),
    ),
    Mutant(
        "a-list-reads-everybody",
        "One rare filter holds a million members' list up for everybody.",
        "backend/members/queries/finding.py",
        '_ORDERED = "{source} ORDER BY at DESC, id LIMIT {looked_at}"',
        '_ORDERED = "{source} ORDER BY at DESC, id LIMIT 1000000 + {looked_at}"',
        ("tests/members/test_finding.py::test_the_first_page_is_found_by_indexes[not rare]",),
    ),
)
