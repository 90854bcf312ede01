"""Defects of how letters leave the house, and of what is believed that comes back."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

LINKS = "backend/messages/delivery/links.py"
MAIL = "backend/messages/delivery/mail.py"
BOUNCES = "backend/messages/delivery/bounces.py"
MACHINES = "backend/messages/delivery/machines.py"
GUARD = "backend/messages/delivery/guard.py"
LABELS = "backend/messages/commands/labels.py"
EMAIL = "backend/messages/channels/email.py"
DECIDING = "backend/messages/commands/deciding.py"
DELIVER = "backend/messages/commands/deliver.py"
TRACKING = "backend/messages/routes/tracking.py"
CONFIRM = "backend/messages/commands/email.py"
KILLED = "tests/messages/test_killed.py::"
SMTP = "tests/messages/test_email.py::"
RETURNS = "tests/messages/test_returns.py::"
TOUCHED = "tests/messages/test_tracking.py::"

MUTANTS = (
    Mutant(
        "link-of-anybody",
        "Whoever likes makes a link of ours that leads to a place of his own.",
        LINKS,
        "if len(said) < 5 or not hmac.compare_digest(mac, _mac(said)):",
        "if len(said) < 5:",
        ("tests/messages/test_links.py::test_another_targets_mac_does_not_fit",),
    ),
    Mutant(
        "link-for-another-thing",
        "The token of a picture is followed, and counts as a click on a link that nobody sees.",
        TRACKING,
        "if link is None or link.kind not in (For.CLICK, For.TRAP):",
        "if link is None or link.kind is For.UNSUBSCRIBE:",
        (f"{TOUCHED}test_nobody_makes_a_link_that_leads_elsewhere",),
    ),
    Mutant(
        "bounce-of-anybody",
        "Whoever writes to the bounces' address ends letters to others.",
        LINKS,
        "return of if hmac.compare_digest(mac.lower().encode(), _bounce_mac(of).encode()) else None",
        "return of",
        ("tests/messages/test_links.py::test_a_bounces_tag_survives_folding_and_nothing_else",),
    ),
    Mutant(
        "full-mailbox-is-dead",
        "Who has a full mailbox hears of nothing any more.",
        BOUNCES,
        "return subject in (0, 1) or (subject, detail) in ((2, 0), (2, 1), (4, 1), (4, 4))",
        "return subject in (0, 1, 2) or (subject, detail) in ((4, 1), (4, 4))",
        ("tests/messages/test_bounces.py::test_what_a_report_says",),
    ),
    Mutant(
        "value-is-markup",
        "What a member is called is read as HTML by the mail program.",
        MAIL,
        "return escape(text).replace(",
        "return text.replace(",
        (f"{SMTP}test_what_a_value_says_is_text_in_html",),
    ),
    Mutant(
        "letter-sent-twice",
        "A letter whose answer was lost is sent once more.",
        EMAIL,
        'raise Refused("outcome_unknown") from None',
        'raise TryAgain(reason="unreachable") from None',
        (f"{SMTP}test_a_server_that_hangs_up_on_the_letter_may_have_it",),
    ),
    Mutant(
        "scanner-is-a-person",
        "A scanner that follows every link of a letter makes it a success.",
        MACHINES,
        "swept = [window for window in _windows(clicks) if links > 1 and len({t.number for t in window}) >= links]",
        "swept: list[list[Touch]] = []",
        ("tests/messages/test_machines.py::test_who_followed",),
    ),
    Mutant(
        "trap-catches-nobody",
        "Who follows a link that nobody sees counts as a member.",
        MACHINES,
        "            or any(abs(touch.at - trap.at) <= AROUND_TRAP for trap in traps)\n",
        "            or (bool(traps) and False)\n",
        ("tests/messages/test_machines.py::test_who_followed",),
    ),
    Mutant(
        "gateway-request-replayed",
        "A report that was overheard is sent again and taken again.",
        GUARD,
        "if not await _spend(self._key, nonce):",
        "if not await _spend(self._key, nonce) and not nonce:",
        (f"{RETURNS}test_a_request_is_good_once",),
    ),
    Mutant(
        "gateway-without-a-secret",
        "Where no secret is set everybody reports who signs with none.",
        GUARD,
        "if match is None or not secret:",
        "if match is None:",
        (f"{RETURNS}test_where_no_secret_is_set_nobody_is_let_in",),
    ),
    Mutant(
        "address-without-its-code",
        "A code is tried as often as somebody likes.",
        CONFIRM,
        'if not rows or rows[0]["code_tries"] >= MOST_TRIES or',
        "if not rows or",
        ("tests/messages/test_member_email.py::test_a_code_is_tried_five_times",),
    ),
    Mutant(
        "marked-is-gone",
        "A worker that dies takes the letters with it that it had only marked.",
        DECIDING,
        "return self.state is State.SENDING and self.handed_at is not None",
        "return self.state is State.SENDING",
        (f"{KILLED}test_what_was_only_marked_is_sent_whatever_the_channel_knows",),
    ),
    Mutant(
        "two-workers-hand-over",
        "A worker that was slow sends what another has sent meanwhile.",
        DELIVER,
        "\" AND channel = $3 AND attempts = $4 AND state = 'sending' RETURNING true\",",
        '" AND channel = $3 AND attempts >= $4 RETURNING true",',
        (f"{KILLED}test_a_worker_that_was_taken_for_dead_sends_nothing_any_more",),
    ),
    Mutant(
        "labels-for-the-unwilling",
        "Who wants no letters by post gets them.",
        LABELS,
        "refused = {member_id for member_id, _, _ in await queries.refused_in(tx, asked)}",
        "refused = {member_id for member_id, _, _ in await queries.refused_in(tx, asked[:0])}",
        ("tests/messages/test_labels.py::test_a_sheet_holds_those_who_agreed_and_have_an_address",),
    ),
    Mutant(
        "cancelled-letters-printed",
        "A batch is cancelled for its wrong text, and still printed and put into envelopes.",
        LABELS,
        "if sheet.batch_id is not None and await _is_stopped(tx, sheet.batch_id):",
        "if sheet.batch_id is None and await _is_stopped(tx, sheet.id):",
        ("tests/messages/test_labels.py::test_of_a_batch_that_is_stopped_nothing_is_printed",),
    ),
    Mutant(
        "labels-of-another-store",
        "A manager downloads the addresses that another store printed.",
        LABELS,
        '    if found is None or not caller.reaches(found.store_id):\n        raise NotFound("there is no such sheet")',
        '    if found is None:\n        raise NotFound("there is no such sheet")',
        ("tests/messages/test_labels.py::test_a_key_is_for_one_sheet_and_another_stores_sheet_is_not_there",),
    ),
)
