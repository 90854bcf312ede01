"""Defects that make us believe what WeChat did not say, or say that we took what we did not."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

NOTIFY = "backend/wechat/notify.py"
TESTS = "tests/wechat/test_notify.py::"
PUSH = "tests/wechat/test_push.py::"
CALLBACKS = "tests/wechat/test_callbacks.py::"

MUTANTS = (
    Mutant(
        "notification-unsigned",
        "Anybody who finds the address credits wallets.",
        NOTIFY,
        "if not trust.keys.verify(serial, signature, timestamp=timestamp, nonce=nonce, body=body):",
        "if False:",
        (f"{TESTS}test_refuses_wechats_own_probe",),
    ),
    Mutant(
        "notification-of-any-age",
        "A notification recorded a year ago is heard again.",
        NOTIFY,
        "if abs(now.timestamp() - int(timestamp)) > MAX_SKEW_S:",
        "if False:",
        (f"{TESTS}test_refuses_a_signature_older_or_earlier_than_that",),
    ),
    Mutant(
        "another-merchants-payment",
        "Money that another merchant got is credited by us.",
        NOTIFY,
        "if paid.mchid != trust.mch_id:",
        "if False:",
        (f"{TESTS}test_refuses_a_signed_payment_that_is_not_ours",),
    ),
    Mutant(
        "accepted-before-credited",
        "WeChat hears 'accepted' while the credit is still under way, and never comes again when it fails.",
        "backend/wechat/callbacks.py",
        '        raise WechatUnavailable("this takes longer than WeChat waits; come again", retry_after_s=15)',
        "        return",
        (f"{CALLBACKS}test_a_slow_callback_goes_on_and_wechat_finds_it_done",),
    ),
    Mutant(
        "failure-accepted",
        "WeChat hears 'accepted' although the credit failed: the member's money is gone.",
        "backend/wechat/callbacks.py",
        "    return task.result()\n",
        "    return task.exception() and None\n",
        (f"{CALLBACKS}test_a_failing_callback_is_not_accepted",),
    ),
    Mutant(
        "message-remembered-too-soon",
        "A customer's message whose callback failed is taken for handled when WeChat repeats it.",
        "backend/wechat/callbacks.py",
        '    answer = await _finish("push", _deliver(message, receipt))\n    await _remember(seen, answer.encode())',
        '    await _remember(seen, b"1")\n    answer = await _finish("push", _deliver(message, receipt))',
        (f"{CALLBACKS}test_a_message_whose_callback_failed_is_handed_on_again",),
    ),
    Mutant(
        "unsigned-answer-believed",
        "Whoever stands between us and WeChat says that an order was paid.",
        "backend/wechat/pay.py",
        "notify.verify_signature(self._trust, answer.headers, answer.body, clock.now())",
        "pass",
        ("tests/wechat/test_pay.py::test_an_answer_that_is_not_wechats_decides_nothing",),
    ),
    Mutant(
        "push-without-token",
        "Where no token is set, anybody's messages are WeChat's.",
        "backend/wechat/push.py",
        "if not self._token or not _same(",
        "if not _same(",
        (f"{PUSH}test_nothing_is_accepted_without_a_token",),
    ),
    Mutant(
        "ciphertext-unsigned",
        "A seen address carries another ciphertext.",
        "backend/wechat/push.py",
        'if not _same(_word(query, "msg_signature"), _digest(self._token, timestamp, nonce, sealed)):',
        "if False:",
        (f"{PUSH}test_refuses_a_wrong_signature_over_the_ciphertext",),
    ),
    Mutant(
        "one-signature-many-bodies",
        "In plain mode whoever saw one signature writes as any customer.",
        "backend/wechat/callbacks.py",
        "    await _refuse_other_body(query, body)\n",
        "",
        (f"{CALLBACKS}test_a_seen_signature_carries_no_other_body",),
    ),
)
