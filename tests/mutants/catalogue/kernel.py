"""Defects of what everything stands on: sharing money, counting, logging, relaying events, reading requests."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

OUTBOX = "tests/kernel/test_outbox.py::"
LANES = "backend/kernel/http/lanes.py"
IN_LANES = "tests/kernel/http/test_lanes.py::"
LIMITS = "tests/kernel/test_limits.py::"
TAKEN_UP = "tests/kernel/test_jobs.py::test_what_a_worker_could_not_end_the_next_one_of_the_process_takes_up_at_once"

MUTANTS = (
    Mutant(
        "shares-rounded",
        "A refund over three tenders gives back a fen more or less than was refunded.",
        "backend/kernel/money.py",
        "parts = {key: amount * weight // total for key, weight in weights.items()}\n"
        "    left = amount - sum(parts.values())",
        "parts = {key: round(amount * weight / total) for key, weight in weights.items()}\n    left = 0",
        ("tests/sales/test_refunds.py",),
    ),
    Mutant(
        "dead-connection-stays-the-tasks-own",
        "After the database's restart the relay of events works inside a dead transaction, and the worker ends.",
        "backend/kernel/db.py",
        "        get_connections().reset(token)\n",
        "        pass\n",
        ("tests/kernel/test_db.py::test_a_transaction_that_could_not_begin_is_not_in_the_way_of_the_next",),
    ),
    Mutant(
        "job-under-way-for-ever",
        "A connection lost at the wrong moment, and paid recharges are not asked about until the worker is restarted.",
        "backend/kernel/jobs/runner.py",
        "            worker.stop()",
        "            pass",
        (TAKEN_UP,),
    ),
    Mutant(
        "lost-worker-thought-alive",
        "The database restarts, and paid recharges wait for minutes: their job is at a worker that is no more.",
        "backend/kernel/jobs/runner.py",
        "                _left.add(worker.worker_id)",
        "                pass",
        (TAKEN_UP,),
    ),
    Mutant(
        "one-lock-holds-up-everybody",
        "One member's books are locked for three seconds, and no till of the chain can sell meanwhile.",
        "backend/kernel/batching.py",
        "        return all(since < late for since in self._busy_since.values())",
        "        return not self._busy_since",
        ("tests/kernel/test_batching.py::test_with_patience_what_is_held_up_does_not_hold_up_others_for_long",),
    ),
    Mutant(
        "crowd-before-readers",
        "A thousand buyers press at once, and whoever looks at a page waits behind all of them.",
        LANES,
        "return (is_first or not self._steps) and self._used_s < TURN_S and not self._must_wait(perf_counter())",
        "return True",
        (f"{IN_LANES}test_a_lane_makes_one_step_a_turn_however_many_are_under_way",),
    ),
    Mutant(
        "place-lost-with-who-left",
        "Each phone that hangs up while its order waits makes the lane narrower, until no order is placed any more.",
        LANES,
        "                self._leave()  # it had just been given",
        "                pass",
        (f"{IN_LANES}test_a_place_that_was_waited_for_by_somebody_who_left_is_the_next_ones",),
    ),
    Mutant(
        "forwarded-address-believed",
        "Whoever guesses passwords sends a new X-Forwarded-For with each try and is never limited.",
        "backend/kernel/http/request.py",
        "for hop in reversed([*forwarded_for",
        "for hop in list([*forwarded_for",
        ("tests/kernel/http/test_system.py",),
    ),
    Mutant(
        "room-for-everybodys-large-bodies",
        "Bodies that never end, from anybody, fill 16 MB of a process instead of 4.",
        "backend/kernel/http/bodies.py",
        "_Room(max(MAX_HELD_BYTES, 2 * largest))",
        "_Room(max(MAX_HELD_BYTES, 2 * max(largest, largest_admitted)))",
        ("tests/kernel/http/test_body_floods.py::test_the_room_of_those_who_may_send_more_is_nobody_elses",),
    ),
    Mutant(
        "limit-per-process",
        "With four processes everybody may guess four times as often.",
        "backend/kernel/limits.py",
        "    window.known = max(window.known, int(reply[0]))",
        "    pass",
        (f"{LIMITS}test_processes_share_a_limit",),
    ),
    Mutant(
        "no-limit-without-redis",
        "Whoever can make Redis fall over may guess without end.",
        "backend/kernel/limits.py",
        "    except RedisDown:\n        return",
        "    except RedisDown:\n        window.known = 0\n        return",
        (f"{LIMITS}test_holds_locally_without_redis",),
    ),
    Mutant(
        "numbers-in-logs",
        "Phone numbers and member codes stand in the logs for everybody who reads them.",
        "backend/kernel/redaction.py",
        "return _DIGITS.sub(REDACTED, text) if len(text) >= 11 else text",
        "return text",
        ("tests/kernel/test_redaction.py::test_no_mobile_number_comes_out_of_a_text",),
    ),
    Mutant(
        "event-outside-the-transaction",
        "An event is told although what it says was rolled back: growth for a sale that never was.",
        "backend/kernel/events.py",
        '    await raw(tx).execute(\n        """INSERT INTO outbox',
        '    from .db import pool\n\n    await pool().execute(\n        """INSERT INTO outbox',
        (f"{OUTBOX}test_an_event_of_a_rolled_back_transaction_never_happened",),
    ),
    Mutant(
        "failed-event-forgotten",
        "An event whose handler failed once is gone: the member never gets the level.",
        "backend/kernel/outbox.py",
        "            await _put_off(row, error)",
        "            async with db.transaction() as tx:\n                await _delete(tx, (row,))",
        (f"{OUTBOX}test_a_failing_event_holds_nobody_up_and_is_tried_again_later",),
    ),
    Mutant(
        "request-hash-without-body",
        "A till that reuses a key with another amount is given the answer to the first one.",
        "backend/kernel/http/pipeline.py",
        "decoding.request_hash(request.method, request.path, canonical)",
        "decoding.request_hash(request.method, request.path, _NO_BODY)",
        ("tests/flows/test_sales.py::test_a_key_of_another_request_is_a_conflict",),
    ),
    Mutant(
        "body-without-limit",
        "One request with a gigabyte of body takes the server's memory.",
        "backend/kernel/http/request.py",
        "if len(body) > limit:",
        "if len(body) > limit * 1000:",
        ("tests/security/test_bad_input.py::test_a_body_of_unknown_length_has_the_same_limit",),
    ),
    Mutant(
        "request-hidden-in-a-body",
        "Whoever wishes for HTTP/2 hides a request in a body, and its answer goes to the next customer of the proxy.",
        "backend/kernel/http/protocol.py",
        "        if self.parser.should_upgrade() and not self._should_upgrade():\n",
        "        if False:\n",
        ("tests/kernel/http/test_floods.py::test_the_body_of_a_request_that_wishes_for_http_2_is_no_request",),
    ),
    Mutant(
        "handshake-that-is-none-kept",
        "One packet each, and ten thousand connections are open for ever: nobody else gets in.",
        "backend/kernel/http/websocket_protocol.py",
        "        if not self.handshake_initiated:",
        "        if False:",
        ("tests/kernel/http/test_floods.py::test_a_handshake_that_is_none_is_refused_and_not_kept",),
    ),
    Mutant(
        "transactions-nested",
        "A command inside a command commits half of what the outer one then rolls back.",
        "backend/kernel/db.py",
        "if _in_transaction.get():",
        "if False:",
        ("tests/kernel/test_db.py::test_a_transaction_inside_a_transaction_is_refused",),
    ),
    Mutant(
        "changed-while-it-was-read",
        "Staff end a product or a campaign, and this process sells on for seconds what it was reading just then.",
        "backend/kernel/kept.py",
        "if forgotten == self._forgotten:",
        "if True:",
        ("tests/kernel/test_kept.py::test_a_change_made_here_is_seen_at_once_also_while_it_is_being_read",),
    ),
    Mutant(
        "cancelled-read-stays-at-hand",
        "Whoever hangs up leaves a broken connection for the next reader, until the process is started anew.",
        "backend/kernel/db.py",
        "        await readers.release(connection)  # the pool sees to what is broken, or is being cancelled\n",
        "        _at_hand.append(connection)\n",
        ("tests/kernel/test_db.py::test_a_connection_whose_read_is_cancelled_goes_back_to_the_pool",),
    ),
)
