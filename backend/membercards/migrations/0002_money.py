"""What cards cost: a fee for a replacement, and a deposit that is held and given back; a list by the right index."""

from tortoise import migrations
from tortoise.migrations import operations as ops

MONEY = """
ALTER TABLE membercard_type ADD COLUMN fee_fen bigint NOT NULL DEFAULT 0 CHECK (fee_fen BETWEEN 0 AND 1000000);
ALTER TABLE membercard
    ADD COLUMN fee_fen       bigint      NOT NULL DEFAULT 0,
    ADD COLUMN fee_paid      boolean     NOT NULL DEFAULT false,
    ADD COLUMN deposit_state varchar(8)  NOT NULL DEFAULT 'none',
    ADD COLUMN deposit_store varchar(16),
    ADD CONSTRAINT membercard_deposit CHECK (deposit_state IN ('none', 'due', 'held', 'moved', 'back')
        AND (deposit_state <> 'held' OR deposit_store IS NOT NULL AND deposit_fen > 0));
CREATE INDEX membercard_deposit_held ON membercard (deposit_store) INCLUDE (deposit_fen) WHERE deposit_state = 'held';
DROP INDEX membercard_of_issuer;
CREATE INDEX membercard_of_issuer ON membercard (issuer_id, state, id) INCLUDE (type_code) WHERE issuer_id IS NOT NULL;
"""
UNDO = """
DROP INDEX membercard_of_issuer;
CREATE INDEX membercard_of_issuer ON membercard (issuer_id, state, type_code, id) WHERE issuer_id IS NOT NULL;
DROP INDEX membercard_deposit_held;
ALTER TABLE membercard DROP CONSTRAINT membercard_deposit, DROP COLUMN deposit_store, DROP COLUMN deposit_state,
    DROP COLUMN fee_paid, DROP COLUMN fee_fen;
ALTER TABLE membercard_type DROP COLUMN fee_fen;
"""


class Migration(migrations.Migration):
    """Add columns with constant defaults: of cards that are out already, nothing is owed and nothing held."""

    dependencies = [("membercards", "0001_initial")]

    operations = [
        ops.RunSQL("SET LOCAL lock_timeout = '4s'", reverse_sql=ops.RunSQL.noop),
        ops.RunSQL(MONEY, reverse_sql=UNDO),
    ]
