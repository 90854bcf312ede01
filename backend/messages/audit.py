"""The proof of letters: none went without a word for it, none stands twice, and what was counted is what there is."""

from __future__ import annotations

import asyncpg

from backend.kernel.proofs import Finding, Proof, ask

CHECK, TITLE = "letters_stand", "letters went where members wanted them, and are counted as they stand"

_CHECKS = (
    # A word that was given while a letter was on its way counts: both were written within the same moment.
    """
SELECT d.member_id,
       format('letter %s went by %s for %s, and no word before allows it', d.letter_id, d.channel, d.purpose)
  FROM message_delivery d
 WHERE d.purpose <> 'service' AND d.sent_at IS NOT NULL AND NOT EXISTS (
       SELECT FROM message_consent_change c WHERE c.member_id = d.member_id AND c.channel = d.channel
          AND c.purpose = d.purpose AND c.granted AND c.at <= d.sent_at + interval '10 seconds')
 LIMIT $1""",
    """
SELECT c.member_id, format('what holds of %s for %s is not the last word', c.channel, c.purpose)
  FROM message_consent c
 WHERE c.granted IS DISTINCT FROM (SELECT h.granted FROM message_consent_change h WHERE h.member_id = c.member_id
       AND h.channel = c.channel AND h.purpose = c.purpose ORDER BY h.at DESC, (h.granted = c.granted) DESC LIMIT 1)
 LIMIT $1""",
    """
SELECT s.member_id, format('%s messages of %s went through WeChat, and %s were spent', d.went, s.template_id, s.used)
  FROM message_subscription s JOIN (
       SELECT member_id, reserved, count(*) AS went FROM message_delivery
        WHERE reserved IS NOT NULL AND state IN ('sent', 'delivered', 'opened', 'clicked') GROUP BY 1, 2) d
    ON d.member_id = s.member_id AND d.reserved = s.template_id
 WHERE d.went > s.used LIMIT $1""",
    """
SELECT 0::bigint, format('batch %s counts %s letters, and %s are there', b.id, b.written, coalesce(l.n, 0))
  FROM message_batch b LEFT JOIN (
       SELECT batch_id, count(*) AS n FROM message_letter WHERE batch_id IS NOT NULL GROUP BY batch_id) l
    ON l.batch_id = b.id
 WHERE b.written <> coalesce(l.n, 0) LIMIT $1""",
    """
SELECT l.member_id, format('letter %s stands in the inbox, and was not delivered there', l.id) FROM message_letter l
 WHERE l.shown_at IS NOT NULL AND NOT EXISTS (SELECT FROM message_delivery d WHERE d.member_id = l.member_id
       AND d.letter_id = l.id AND d.channel = 'inbox' AND d.state IN ('delivered', 'opened', 'clicked'))
 LIMIT $1""",
)


async def prove(connection: asyncpg.Connection) -> list[Finding]:
    """Look at every letter, in a transaction that is open."""
    return await ask(connection, CHECK, _CHECKS)


PROOF = Proof("letters", {CHECK: TITLE}, prove)
