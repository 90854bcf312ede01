"""Defects of registration, the payment PIN, standing and levels."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SERVICE = "backend/members/service"
COMMANDS = "backend/members/commands"
PIN = "tests/members/test_pin.py::"

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
)
